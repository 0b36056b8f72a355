#include "core/real.h"
#include "optim/rule.h"

typedef struct rmsprop {
  double alpha, eps, centered, momentum;
} rmsprop;

static const lar_param schema[] = {
  {"alpha", offsetof(rmsprop, alpha), 0.99, 0.0, LAR_BELOW1, "memory of the mean square"},
  {"eps", offsetof(rmsprop, eps), 1e-8, 0.0, HUGE_VAL, "added to the root of the mean square"},
  {"centered", offsetof(rmsprop, centered), 0.0, 0.0, 1.0, "divide by the standard deviation",
   LAR_FLAG},
  {"momentum", offsetof(rmsprop, momentum), 0.0, 0.0, LAR_BELOW1,
   "share of the last step kept"},
  {0},
};

/* v becomes the mean square, m what the gradient is divided by. */
static inline void scale(const rmsprop *p, int64_t n, const real *restrict g, real *restrict v,
                         real *restrict mean, real *restrict m) {
  const real a = (real)p->alpha, c = (real)(1 - p->alpha), eps = (real)p->eps;
  if (p->centered != 0) LAR_STEP(i) {
      v[i] = a * v[i] + c * g[i] * g[i];
      mean[i] = a * mean[i] + c * g[i];
      real left = v[i] - mean[i] * mean[i];
      m[i] = sqrt(left < 0 ? (real)0 : left) + eps;
    }
  else
    LAR_STEP(i) {
      v[i] = a * v[i] + c * g[i] * g[i];
      m[i] = sqrt(v[i]) + eps;
    }
}

/* In blocks, so that the divisor stays in the cache. */
LAR_UPDATE(rmsprop) {
  enum { BLOCK = 1024 };
  const rmsprop p = *(const rmsprop *)self;
  const real step = (real)lr, mu = (real)p.momentum;
  const int64_t all = n;
  real divisor[BLOCK];
  for (int64_t at = 0; at < all; at += BLOCK) {
    n = all - at < BLOCK ? all - at : BLOCK;
    real *restrict w = (real *)weights + at;
    const real *restrict g = (const real *)gradient + at;
    scale(&p, n, g, (real *)state[0] + at, p.centered != 0 ? (real *)state[1] + at : NULL,
          divisor);
    if (p.momentum > 0) {
      real *restrict b = (real *)state[2] + at;
      LAR_STEP(i) {
        b[i] = mu * b[i] + g[i] / divisor[i];
        w[i] -= step * b[i];
      }
    } else {
      LAR_STEP(i) w[i] -= step * (g[i] / divisor[i]);
    }
    if (metric != NULL) LAR_STEP(i)((real *)metric)[at + i] = 1 / divisor[i];
  }
}

static double gain(const void *self, int64_t t) {
  double mu = ((const rmsprop *)self)->momentum;
  return (1 - pow(mu, (double)t)) / (1 - mu);
}

static unsigned uses(const void *self) {
  const rmsprop *p = self;
  return 1u | (p->centered != 0 ? 2u : 0) | (p->momentum > 0 ? 4u : 0);
}

LAR_ENTRY(rule, rmsprop) = {
  .name = "rmsprop",
  .doc = "gradients divided by the root of their mean square",
  .source = "Tieleman & Hinton 2012, lecture 6.5; centered: Graves 2013, arXiv:1308.0850",
  .params = schema,
  .size = sizeof(rmsprop),
  .lr = 0.01,
  .nstate = 3,
  .state = "v mean momentum",
  .diagonal = true,
  .update = LAR_UPDATES(rmsprop),
  .gain = gain,
  .uses = uses,
};
