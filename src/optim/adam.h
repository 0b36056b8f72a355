/*
 * optim/adam - the pass that adam, adamw and amsgrad share.
 *
 * Include after core/real.h. As in PyTorch m and v are averages, the step
 * lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps).
 */
#ifndef LAR_OPTIM_ADAM_H
#define LAR_OPTIM_ADAM_H

#include "core/real.h"
#include "optim/rule.h"

typedef struct adam {
  double beta1, beta2, eps, decay;
} adam;

#define LAR_ADAM_ROWS                                                                        \
  {"beta1", offsetof(adam, beta1), 0.9, 0.0, LAR_BELOW1, "memory of the mean gradient"},     \
    {"beta2", offsetof(adam, beta2), 0.999, 0.0, LAR_BELOW1, "memory of the mean square"}, { \
    "eps", offsetof(adam, eps), 1e-8, 0.0, HUGE_VAL, "added to the root of the mean square"  \
  }

/* The pass, with the arguments of lar_update; state[2], where there is one, is the largest v so
 * far (amsgrad). */
static inline void lar_adam(const adam *p, double lr, int64_t t, int64_t n, real *w,
                            const real *g, void *const *state, real *metric) {
  const real b1 = (real)p->beta1, c1 = (real)(1 - p->beta1), eps = (real)p->eps;
  const real b2 = (real)p->beta2, c2 = (real)(1 - p->beta2);
  const real keep = (real)(1 - lr * p->decay);
  const real over = (real)(1 / sqrt(1 - pow(p->beta2, (double)t)));
  const real step = (real)(lr / (1 - pow(p->beta1, (double)t)));
  real *m = state[0], *v = state[1], *most = state[2];
  LAR_STEP(i) {
    real mi = m[i] * b1 + c1 * g[i], vi = v[i] * b2 + c2 * g[i] * g[i];
    m[i] = mi;
    v[i] = vi;
    if (most != NULL) vi = most[i] = most[i] > vi ? most[i] : vi;
    real share = 1 / (sqrt(vi) * over + eps); /* one division: what the pass waits for */
    if (metric != NULL) metric[i] = share;
    w[i] = w[i] * keep - step * (mi * share);
  }
}

/* The update of an entry: cut by what is there, so that each loop is one of vectors. */
#define LAR_ADAM_UPDATE(name)                                   \
  LAR_UPDATE(name) {                                            \
    const adam p = *(const adam *)self;                         \
    void *const two[] = {state[0], state[1], NULL};             \
    if (state[2] != NULL && metric != NULL)                     \
      lar_adam(&p, lr, t, n, weights, gradient, state, metric); \
    else if (state[2] != NULL)                                  \
      lar_adam(&p, lr, t, n, weights, gradient, state, NULL);   \
    else if (metric != NULL)                                    \
      lar_adam(&p, lr, t, n, weights, gradient, two, metric);   \
    else                                                        \
      lar_adam(&p, lr, t, n, weights, gradient, two, NULL);     \
  }

#endif
