/* The typed loops of kern/xent. */
#include <tgmath.h>

#include "core/real.h"
#include "kern/exps.h"
#include "kern/xent.h"

/* Exponentials of a row, whose sum is known, become its slope. */
static void slope(real *out, int64_t k, double sum, int64_t y, real g) {
  real scale = (real)(1 / sum), rest = 0;
  for (int64_t j = 0; j < k; j++) {
    out[j] *= scale * g;
    if (j != y) rest += out[j];
  }
  out[y] = -rest; /* exact where the label is nearly certain, unlike g p - g */
}

/* There is a label, so k >= 1. A value is log sum exp(x) - x_y. */
void LAR_R(lar_xent_rows)(void *ctx, int64_t begin, int64_t end) {
  const lar_xent_job *job = ctx;
  real top[LAR_EXPS_ROWS], *out = job->out;
  double sum[LAR_EXPS_ROWS];
  int64_t k = job->k, some;
  for (int64_t at = begin; at < end; at += some) {
    const real *x = (const real *)job->x + at * k, *g = job->g;
    some = LAR_R(lar_exps)(end - at, k, x, top, sum, g != NULL ? out + at * k : NULL);
    for (int64_t i = 0; i < some; i++) {
      int64_t y = job->label[at + i] - 1;
      if (g != NULL)
        slope(out + (at + i) * k, k, sum[i], y, g[at + i]);
      else
        out[at + i] = (real)(log(sum[i]) - (double)(x[i * k + y] - top[i]));
    }
  }
}
