#include "core/real.h"
#include "optim/rule.h"

typedef struct adagrad {
  double eps;
} adagrad;

static const lar_param schema[] = {
  {"eps", offsetof(adagrad, eps), 1e-10, 0.0, HUGE_VAL, "added to the root of the sum"},
  {0},
};

LAR_UPDATE(adagrad) {
  real *restrict w = weights, *restrict v = state[0], *restrict m = metric;
  const real *restrict g = gradient, step = (real)lr;
  const real eps = (real)((const adagrad *)self)->eps;
  LAR_STEP(i) {
    v[i] += g[i] * g[i];
    real denominator = sqrt(v[i]) + eps;
    w[i] -= step * (g[i] / denominator);
    if (m != NULL) m[i] = 1 / denominator;
  }
}

LAR_ENTRY(rule, adagrad) = {
  .name = "adagrad",
  .doc = "steps that shrink with the squares seen, for each coordinate",
  .source = "Duchi, Hazan & Singer 2011, JMLR 12",
  .params = schema,
  .size = sizeof(adagrad),
  .lr = 0.01,
  .nstate = 1,
  .state = "sum",
  .diagonal = true,
  .update = LAR_UPDATES(adagrad),
};
