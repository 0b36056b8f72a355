/* The typed loops of kern/xent. */
#include "core/vecmath.h" /* first */

#include "core/real.h"
#include "kern/exps.h"
#include "kern/turn.h"
#include "kern/xent.h"

/* log sum exp(x) - x_y; there is a label, so k >= 1 */
LAR_WIDE static real value(const real *x, int64_t k, int64_t y) {
  real top = exp_top(x, k);
  return (real)(log(exp_sum(NULL, x, k, top)) - (double)(x[y] - top));
}

LAR_WIDE static void slope(real *out, const real *x, int64_t k, int64_t y, real g) {
  real top = exp_top(x, k), scale = (real)(1 / exp_sum(out, x, k, top)) * g, rest = 0;
  for (int64_t j = 0; j < k; j++) out[j] *= scale;
  out[y] = 0;
#pragma omp simd reduction(+ : rest)
  for (int64_t j = 0; j < k; j++) rest += out[j];
  out[y] = -rest; /* exact where the label is nearly certain, unlike g p - g */
}

/* m short rows turned over, so that they go side by side; g is NULL where values are wanted. */
LAR_WIDE static void short_rows(real *out, const real *x, int64_t k, int64_t m,
                                const int64_t *label, const real *g) {
  real in[EXP_SHORT * EXP_PANEL], e[EXP_SHORT * EXP_PANEL], top[EXP_PANEL];
  double sum[EXP_PANEL], logs[EXP_PANEL];
  LAR_R(lar_turn)(m, k, in, EXP_PANEL, x, k);
  exp_columns(top, sum, logs, g != NULL ? e : NULL, in, k, EXP_PANEL, m);
  for (int64_t i = 0; g == NULL && i < m; i++)
    out[i] = (real)(logs[i] - (double)(x[i * k + label[i] - 1] - top[i]));
  if (g == NULL) return;
  real scale[EXP_PANEL], rest[EXP_PANEL] = {0};
  for (int64_t i = 0; i < m; i++) {
    scale[i] = (real)(1 / sum[i]) * g[i];
    e[(label[i] - 1) * EXP_PANEL + i] = 0;
  }
  for (int64_t j = 0; j < k; j++)
    for (int64_t i = 0; i < m; i++) rest[i] += e[j * EXP_PANEL + i] *= scale[i];
  for (int64_t i = 0; i < m; i++) e[(label[i] - 1) * EXP_PANEL + i] = -rest[i];
  LAR_R(lar_turn)(k, m, out, k, e, EXP_PANEL);
}

LAR_WIDE void LAR_R(lar_xent_rows)(void *ctx, int64_t begin, int64_t end) {
  const lar_xent_job *job = ctx;
  int64_t k = job->k, wide = job->g == NULL ? 1 : k, some;
  for (int64_t i = begin; i < end; i += some) {
    const real *x = (const real *)job->x + i * k, *g = job->g;
    real *out = (real *)job->out + i * wide;
    some = exp_together(k, end - i);
    if (some > 1)
      short_rows(out, x, k, some, job->label + i, g == NULL ? NULL : g + i);
    else if (g == NULL)
      *out = value(x, k, job->label[i] - 1);
    else
      slope(out, x, k, job->label[i] - 1, g[i]);
  }
}
