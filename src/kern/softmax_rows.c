/* The typed loops of kern/softmax. */
#include "core/vecmath.h" /* first */

#include "core/real.h"
#include "kern/exps.h"
#include "kern/softmax.h"
#include "kern/turn.h"

enum { BLOCK = LAR_SOFTMAX_PANEL, SHORT = EXP_SHORT };
_Static_assert((int)BLOCK == (int)EXP_PANEL, "panels of the same columns");

LAR_WIDE static void row(lar_softmax_kind kind, real *y, const real *x, int64_t n) {
  real top = exp_top(x, n);
  bool finite = top - top == 0;
  if (kind == LAR_LOGSUMEXP) {
    *y = finite ? (real)((double)top + log(exp_sum(NULL, x, n, top))) : top;
  } else if (kind == LAR_LOG_SOFTMAX) {
    double shift = finite ? log(exp_sum(NULL, x, n, top)) : 0;
    for (int64_t i = 0; i < n; i++) y[i] = (real)((double)(x[i] - top) - shift);
  } else {
    real scale = (real)(1 / exp_sum(y, x, n, top));
    for (int64_t i = 0; i < n; i++) y[i] *= scale;
  }
}

/* m columns of n elements `step` apart side by side; y is where x is, or the row of sums. */
LAR_WIDE static void panel(lar_softmax_kind kind, real *y, const real *x, int64_t n,
                           int64_t step, int64_t m) {
  real top[BLOCK], scale[BLOCK];
  double sum[BLOCK], logs[BLOCK];
  exp_columns(top, sum, logs, kind == LAR_SOFTMAX ? y : NULL, x, n, step, m);
  for (int64_t k = 0; k < m; k++) {
    bool finite = top[k] - top[k] == 0;
    scale[k] = (real)(1 / sum[k]);
    logs[k] = finite ? logs[k] : 0;
    if (kind == LAR_LOGSUMEXP) y[k] = (real)((double)top[k] + logs[k]);
  }
  if (kind == LAR_SOFTMAX)
    for (int64_t i = 0; i < n; i++, y += step)
      for (int64_t k = 0; k < m; k++) y[k] *= scale[k];
  else if (kind == LAR_LOG_SOFTMAX)
    for (int64_t i = 0; i < n; i++, x += step, y += step)
      for (int64_t k = 0; k < m; k++) y[k] = (real)((double)(x[k] - top[k]) - logs[k]);
}

/* m short rows side by side, turned over and back. */
LAR_WIDE static void short_rows(lar_softmax_kind kind, real *y, const real *x, int64_t n,
                                int64_t m) {
  real in[SHORT * BLOCK], out[SHORT * BLOCK];
  LAR_R(lar_turn)(m, n, in, BLOCK, x, n);
  panel(kind, kind == LAR_LOGSUMEXP ? y : out, in, n, BLOCK, m);
  if (kind != LAR_LOGSUMEXP) LAR_R(lar_turn)(n, m, y, n, out, BLOCK);
}

LAR_WIDE void LAR_R(lar_softmax_rows)(void *ctx, int64_t begin, int64_t end) {
  const lar_softmax_job *j = ctx;
  int64_t n = j->n, wide = j->kind == LAR_LOGSUMEXP ? 1 : n, some;
  for (int64_t r = begin; r < end; r += some) {
    const real *x = (const real *)j->x + r * n;
    real *y = (real *)j->out + r * wide;
    some = exp_together(n, end - r);
    if (some == 1)
      row(j->kind, y, x, n);
    else
      short_rows(j->kind, y, x, n, some);
  }
}

LAR_WIDE void LAR_R(lar_softmax_panels)(void *ctx, int64_t begin, int64_t end) {
  const lar_softmax_job *j = ctx;
  int64_t across = (j->inner + BLOCK - 1) / BLOCK;
  for (int64_t r = begin; r < end; r++) {
    int64_t o = r / across, c = r % across * BLOCK, at = o * j->n * j->inner + c;
    int64_t to = j->kind == LAR_LOGSUMEXP ? o * j->inner + c : at;
    panel(j->kind, (real *)j->out + to, (const real *)j->x + at, j->n, j->inner,
          j->inner - c < BLOCK ? j->inner - c : BLOCK);
  }
}
