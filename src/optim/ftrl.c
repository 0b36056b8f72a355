#include "core/real.h"
#include "optim/rule.h"

typedef struct ftrl {
  double beta;
} ftrl;

static const lar_param schema[] = {
  {"beta", offsetof(ftrl, beta), 1.0, 1e-6, HUGE_VAL,
   "added to the root of the sum of squares"},
  {0},
};

/* z is lr times the sum of gradients, less what the growing weight of the proximity to former
 * points has added; it starts where its minimum is the parameter as it is found, and does so
 * while no gradient has come. With a penalty the prox turns -z / (beta + sqrt(n)) into the
 * minimum of all that has been seen, t times the penalty included. */
LAR_UPDATE(ftrl) {
  real *restrict w = weights, *restrict z = state[0], *restrict v = state[1];
  real *restrict m = metric;
  const real *restrict g = gradient, step = (real)lr;
  const real beta = (real)((const ftrl *)self)->beta;
  LAR_STEP(i) {
    real from = v[i] == 0 ? -beta * w[i] : z[i], was = sqrt(v[i]);
    v[i] += g[i] * g[i];
    real now = sqrt(v[i]), share = 1 / (beta + now);
    z[i] = from + step * g[i] - (now - was) * w[i];
    w[i] = -z[i] * share;
    if (m != NULL) m[i] = share;
  }
}

static double gain(const void *self, int64_t t) { return (double)t; }

LAR_ENTRY(rule, ftrl) = {
  .name = "ftrl",
  .doc = "the leader of all steps so far, with the penalty of all: sparse from streams",
  .source = "McMahan et al. 2013, KDD, algorithm 1; McMahan 2011, AISTATS",
  .params = schema,
  .size = sizeof(ftrl),
  .lr = 0.1,
  .nstate = 2,
  .state = "z n",
  .diagonal = true,
  .dual = true,
  .update = LAR_UPDATES(ftrl),
  .gain = gain,
};
