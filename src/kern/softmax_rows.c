/* The typed loops of kern/softmax. */
#include <tgmath.h>

#include "core/real.h"
#include "kern/softmax.h"

static real largest(const real *x, int64_t n, int64_t step) {
  real top = -(real)HUGE_VAL;
  for (int64_t i = 0; i < n; i++) {
    if (x[i * step] != x[i * step]) return x[i * step];
    if (x[i * step] > top) top = x[i * step];
  }
  return top;
}

static void softmax(real *y, const real *x, int64_t n, int64_t step, real top) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += (double)(y[i * step] = exp(x[i * step] - top));
  real scale = (real)(1 / sum);
  for (int64_t i = 0; i < n; i++) y[i * step] *= scale;
}

static double log_sum(const real *x, int64_t n, int64_t step, real top) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += (double)exp(x[i * step] - top);
  return log(sum);
}

void LAR_R(lar_softmax_rows)(void *ctx, int64_t begin, int64_t end) {
  const lar_softmax_job *j = ctx;
  int64_t n = j->n, step = j->inner;
  for (int64_t r = begin; r < end; r++) {
    int64_t at = (r / step) * n * step + r % step;
    const real *x = (const real *)j->x + at;
    real *y = (real *)j->out + (j->kind == LAR_LOGSUMEXP ? r : at), top = largest(x, n, step);
    bool finite = top - top == 0;
    if (j->kind == LAR_LOGSUMEXP) {
      *y = finite ? (real)((double)top + log_sum(x, n, step, top)) : top;
    } else if (j->kind == LAR_LOG_SOFTMAX) {
      double shift = finite ? log_sum(x, n, step, top) : 0;
      for (int64_t i = 0; i < n; i++) y[i * step] = (real)((double)(x[i * step] - top) - shift);
    } else {
      softmax(y, x, n, step, top);
    }
  }
}
