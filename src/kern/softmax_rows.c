/* The typed loops of kern/softmax. */
#include "core/vecmath.h" /* first */

#include <tgmath.h>

#include "core/real.h"
#include "kern/exps.h"
#include "kern/softmax.h"

enum { BLOCK = LAR_SOFTMAX_PANEL };

/* e[0..BLOCK) = exp(x - top) of m neighbours, 0 beyond them: whole blocks, so that a value
 * does not depend on its place. */
static inline void exp_block(real *restrict e, const real *x, int64_t m, const real *top) {
  real z[BLOCK];
  for (int64_t i = 0; i < BLOCK; i++) z[i] = i < m ? x[i] - top[i] : -(real)HUGE_VAL;
#pragma omp simd
  for (int i = 0; i < BLOCK; i++) e[i] = exp(z[i]);
}

/* One row, whose exponentials are in y for softmax. */
static void finish(lar_softmax_kind kind, const real *x, int64_t n, real top, double sum,
                   real *y) {
  bool finite = top - top == 0;
  if (kind == LAR_LOGSUMEXP) {
    *y = finite ? (real)((double)top + log(sum)) : top;
  } else if (kind == LAR_LOG_SOFTMAX) {
    double shift = finite ? log(sum) : 0;
    for (int64_t i = 0; i < n; i++) y[i] = (real)((double)(x[i] - top) - shift);
  } else {
    real scale = (real)(1 / sum);
    for (int64_t i = 0; i < n; i++) y[i] *= scale;
  }
}

void LAR_R(lar_softmax_rows)(void *ctx, int64_t begin, int64_t end) {
  const lar_softmax_job *j = ctx;
  real top[LAR_EXPS_ROWS];
  double sum[LAR_EXPS_ROWS];
  int64_t n = j->n, each = j->kind == LAR_LOGSUMEXP ? 1 : n, some;
  for (int64_t r = begin; r < end; r += some) {
    const real *x = (const real *)j->x + r * n;
    real *y = (real *)j->out + r * each;
    some = LAR_R(lar_exps)(end - r, n, x, top, sum, j->kind == LAR_SOFTMAX ? y : NULL);
    for (int64_t i = 0; i < some; i++)
      finish(j->kind, x + i * n, n, top[i], sum[i], y + i * each);
  }
}

/* The largest of each of m columns; a NaN stays. */
static void tops(real *restrict top, const real *x, int64_t n, int64_t step, int64_t m) {
  for (int64_t k = 0; k < m; k++) top[k] = -(real)HUGE_VAL;
  for (int64_t i = 0; i < n; i++, x += step)
    for (int64_t k = 0; k < m; k++) top[k] = x[k] > top[k] || x[k] != x[k] ? x[k] : top[k];
}

/* m columns side by side; y is where x is, or the row of sums. */
static void panel(const lar_softmax_job *j, real *y, const real *x, int64_t m) {
  real top[BLOCK], e[BLOCK];
  double sum[BLOCK] = {0};
  int64_t n = j->n, step = j->inner;
  tops(top, x, n, step, m);
  for (int64_t i = 0; i < n; i++) {
    exp_block(e, x + i * step, m, top);
    for (int k = 0; k < BLOCK; k++) sum[k] += (double)e[k];
    if (j->kind == LAR_SOFTMAX)
      for (int64_t k = 0; k < m; k++) y[i * step + k] = e[k];
  }
  for (int64_t k = 0; k < m; k++) {
    bool finite = top[k] - top[k] == 0;
    sum[k] = j->kind == LAR_SOFTMAX ? 1 / sum[k] : finite ? log(sum[k]) : 0;
    if (j->kind == LAR_LOGSUMEXP) y[k] = (real)((double)top[k] + sum[k]);
  }
  for (int64_t i = 0; i < n && j->kind != LAR_LOGSUMEXP; i++, x += step, y += step)
    for (int64_t k = 0; k < m; k++)
      y[k] =
        j->kind == LAR_SOFTMAX ? y[k] * (real)sum[k] : (real)((double)(x[k] - top[k]) - sum[k]);
}

void LAR_R(lar_softmax_panels)(void *ctx, int64_t begin, int64_t end) {
  const lar_softmax_job *j = ctx;
  int64_t across = (j->inner + BLOCK - 1) / BLOCK;
  for (int64_t r = begin; r < end; r++) {
    int64_t o = r / across, c = r % across * BLOCK, at = o * j->n * j->inner + c;
    int64_t to = j->kind == LAR_LOGSUMEXP ? o * j->inner + c : at;
    panel(j, (real *)j->out + to, (const real *)j->x + at,
          j->inner - c < BLOCK ? j->inner - c : BLOCK);
  }
}
