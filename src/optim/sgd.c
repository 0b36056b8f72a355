#include "core/real.h"
#include "optim/rule.h"

typedef struct sgd {
  double momentum, dampening, nesterov;
} sgd;

static const lar_param schema[] = {
  {"momentum", offsetof(sgd, momentum), 0.0, 0.0, LAR_BELOW1, "share of the last step kept"},
  {"dampening", offsetof(sgd, dampening), 0.0, 0.0, 1.0, "share of the gradient left out"},
  {"nesterov", offsetof(sgd, nesterov), 0.0, 0.0, 1.0, "look ahead along the momentum",
   LAR_FLAG},
  {0},
};

/* The first gradient enters whole, as in PyTorch. */
LAR_UPDATE(sgd) {
  const sgd p = *(const sgd *)self;
  real *restrict w = weights, *restrict b = state[0];
  const real *restrict g = gradient, step = (real)lr, mu = (real)p.momentum;
  const real share = (real)(t == 1 ? 1 : 1 - p.dampening);
  if (p.momentum == 0)
    LAR_STEP(i) w[i] -= step * g[i];
  else if (p.nesterov != 0)
    LAR_STEP(i) {
      b[i] = mu * b[i] + share * g[i];
      w[i] -= step * (g[i] + mu * b[i]);
    }
  else
    LAR_STEP(i) {
      b[i] = mu * b[i] + share * g[i];
      w[i] -= step * b[i];
    }
}

static double gain(const void *self, int64_t t) {
  const sgd *p = self;
  double mu = p->momentum, kept = pow(mu, (double)(t - 1));
  if (mu == 0) return 1;
  double b = kept + (1 - p->dampening) * (1 - kept) / (1 - mu);
  return p->nesterov != 0 ? 1 + mu * b : b;
}

static unsigned uses(const void *self) { return ((const sgd *)self)->momentum > 0; }

LAR_ENTRY(rule, sgd) = {
  .name = "sgd",
  .doc = "gradient steps, with momentum if asked",
  .source = "Robbins & Monro 1951, Ann. Math. Statist. 22(3); Polyak 1964, USSR Comput. Math. "
            "4(5); Sutskever et al. 2013, ICML",
  .params = schema,
  .size = sizeof(sgd),
  .lr = 0.01,
  .nstate = 1,
  .state = "momentum",
  .update = LAR_UPDATES(sgd),
  .gain = gain,
  .uses = uses,
};
