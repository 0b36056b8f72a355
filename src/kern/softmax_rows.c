/* The typed loops of kern/softmax. */
#include "core/vecmath.h" /* first */

#include <tgmath.h>

#include "core/real.h"
#include "kern/softmax.h"

enum { LANES = 16, BLOCK = 64 };

/* Of neighbours, in lanes; a NaN in any of them is the result. */
static real largest_near(const real *x, int64_t n) {
  real lane[LANES], top = -(real)HUGE_VAL;
  int nans[LANES] = {0};
  int64_t i = 0;
  for (int k = 0; k < LANES; k++) lane[k] = top;
  for (; i + LANES <= n; i += LANES)
    for (int k = 0; k < LANES; k++) {
      lane[k] = x[i + k] > lane[k] ? x[i + k] : lane[k];
      nans[k] |= x[i + k] != x[i + k];
    }
  for (; i < n; i++) {
    top = x[i] > top ? x[i] : top;
    nans[0] |= x[i] != x[i];
  }
  for (int k = 0; k < LANES; k++) {
    top = lane[k] > top ? lane[k] : top;
    if (nans[k]) return (real)NAN;
  }
  return top;
}

static real largest(const real *x, int64_t n, int64_t step) {
  if (step == 1) return largest_near(x, n);
  real top = -(real)HUGE_VAL;
  for (int64_t i = 0; i < n; i++) {
    if (x[i * step] != x[i * step]) return x[i * step];
    if (x[i * step] > top) top = x[i * step];
  }
  return top;
}

/* e[0..BLOCK) = exp(x - top) of m neighbours, 0 beyond them: whole blocks, so that a value
 * does not depend on its place. */
static void exp_block(real *restrict e, const real *x, int64_t m, int64_t step, real top) {
  real z[BLOCK];
  for (int64_t i = 0; i < BLOCK; i++) z[i] = i < m ? x[i * step] - top : -(real)HUGE_VAL;
#pragma omp simd
  for (int i = 0; i < BLOCK; i++) e[i] = exp(z[i]);
}

static double block_sum(const real *e) {
  double lane[LANES] = {0}, sum = 0;
  for (int i = 0; i < BLOCK; i += LANES)
    for (int k = 0; k < LANES; k++) lane[k] += (double)e[i + k];
  for (int k = 0; k < LANES; k++) sum += lane[k];
  return sum;
}

static void softmax(real *y, const real *x, int64_t n, int64_t step, real top) {
  real e[BLOCK];
  double sum = 0;
  for (int64_t at = 0; at < n; at += BLOCK) {
    int64_t m = n - at < BLOCK ? n - at : BLOCK;
    exp_block(e, x + at * step, m, step, top);
    sum += block_sum(e);
    for (int64_t i = 0; i < m; i++) y[(at + i) * step] = e[i];
  }
  real scale = (real)(1 / sum);
  if (step == 1)
    for (int64_t i = 0; i < n; i++) y[i] *= scale;
  else
    for (int64_t i = 0; i < n; i++) y[i * step] *= scale;
}

static double log_sum(const real *x, int64_t n, int64_t step, real top) {
  real e[BLOCK];
  double sum = 0;
  for (int64_t at = 0; at < n; at += BLOCK) {
    exp_block(e, x + at * step, n - at < BLOCK ? n - at : BLOCK, step, top);
    sum += block_sum(e);
  }
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
