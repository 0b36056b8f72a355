/* The typed loops of kern/softmax. */
#include "core/vecmath.h" /* first */

#include <tgmath.h>

#include "core/real.h"
#include "kern/softmax.h"

enum { LANES = 16, BLOCK = LAR_SOFTMAX_PANEL };

/* In lanes; a NaN in any of them is the result. */
static real largest(const real *x, int64_t n) {
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

/* e[0..BLOCK) = exp(x - top) of m neighbours, 0 beyond them: whole blocks, so that a value
 * does not depend on its place. `each`: every one has a top of its own. */
static inline void exp_block(real *restrict e, const real *x, int64_t m, const real *top,
                             bool each) {
  real z[BLOCK];
  for (int64_t i = 0; i < BLOCK; i++) z[i] = i < m ? x[i] - top[each ? i : 0] : -(real)HUGE_VAL;
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

static void softmax(real *y, const real *x, int64_t n, real top) {
  real e[BLOCK];
  double sum = 0;
  for (int64_t at = 0; at < n; at += BLOCK) {
    int64_t m = n - at < BLOCK ? n - at : BLOCK;
    exp_block(e, x + at, m, &top, false);
    sum += block_sum(e);
    for (int64_t i = 0; i < m; i++) y[at + i] = e[i];
  }
  real scale = (real)(1 / sum);
  for (int64_t i = 0; i < n; i++) y[i] *= scale;
}

static double log_sum(const real *x, int64_t n, real top) {
  real e[BLOCK];
  double sum = 0;
  for (int64_t at = 0; at < n; at += BLOCK) {
    exp_block(e, x + at, n - at < BLOCK ? n - at : BLOCK, &top, false);
    sum += block_sum(e);
  }
  return log(sum);
}

void LAR_R(lar_softmax_rows)(void *ctx, int64_t begin, int64_t end) {
  const lar_softmax_job *j = ctx;
  int64_t n = j->n;
  for (int64_t r = begin; r < end; r++) {
    const real *x = (const real *)j->x + r * n;
    real *y = (real *)j->out + (j->kind == LAR_LOGSUMEXP ? r : r * n), top = largest(x, n);
    bool finite = top - top == 0;
    if (j->kind == LAR_LOGSUMEXP) {
      *y = finite ? (real)((double)top + log_sum(x, n, top)) : top;
    } else if (j->kind == LAR_LOG_SOFTMAX) {
      double shift = finite ? log_sum(x, n, top) : 0;
      for (int64_t i = 0; i < n; i++) y[i] = (real)((double)(x[i] - top) - shift);
    } else {
      softmax(y, x, n, top);
    }
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
    exp_block(e, x + i * step, m, top, true);
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
