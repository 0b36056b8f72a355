#include "core/real.h"
#include "optim/rule.h"

typedef struct lion {
  double beta1, beta2, decay;
} lion;

static const lar_param schema[] = {
  {"beta1", offsetof(lion, beta1), 0.9, 0.0, LAR_BELOW1, "share of the momentum in a step"},
  {"beta2", offsetof(lion, beta2), 0.99, 0.0, LAR_BELOW1, "memory of the momentum"},
  {"weight_decay", offsetof(lion, decay), 0.0, 0.0, HUGE_VAL,
   "weights shrink by lr times this, apart from the gradient"},
  {0},
};

LAR_UPDATE(lion) {
  const lion p = *(const lion *)self;
  real *restrict w = weights, *restrict m = state[0];
  const real *restrict g = gradient, step = (real)lr, keep = (real)(1 - lr * p.decay);
  const real b1 = (real)p.beta1, c1 = (real)(1 - p.beta1);
  const real b2 = (real)p.beta2, c2 = (real)(1 - p.beta2);
  LAR_STEP(i) {
    real c = b1 * m[i] + c1 * g[i], sign = c > 0 ? (real)1 : c < 0 ? (real)-1 : c;
    w[i] = w[i] * keep - step * sign;
    m[i] = b2 * m[i] + c2 * g[i];
  }
}

LAR_ENTRY(rule, lion) = {
  .name = "lion",
  .doc = "steps of one length: the sign of a momentum",
  .source = "Chen et al. 2023, NeurIPS, algorithm 2",
  .params = schema,
  .size = sizeof(lion),
  .lr = 1e-4,
  .nstate = 1,
  .state = "m",
  .decay = "weight_decay",
  .update = LAR_UPDATES(lion),
};
