/* The typed loops of kern/xent. */
#include <tgmath.h>

#include "core/real.h"
#include "kern/xent.h"

/* NaN if there is one. */
static real largest(const real *x, int64_t k) {
  real top = x[0];
  for (int64_t j = 1; j < k; j++)
    if (!(x[j] <= top)) top = x[j] == x[j] && top != top ? top : x[j];
  return top;
}

/* log sum exp(x) - x_y; there is a label, so k >= 1 */
static real value(const real *x, int64_t k, int64_t y) {
  real top = largest(x, k);
  double sum = (double)exp(x[0] - top);
  for (int64_t j = 1; j < k; j++) sum += (double)exp(x[j] - top);
  return (real)(log(sum) - (double)(x[y] - top));
}

static void slope(real *out, const real *x, int64_t k, int64_t y, real g) {
  real top = largest(x, k);
  double sum = 0;
  for (int64_t j = 0; j < k; j++) sum += (double)(out[j] = exp(x[j] - top));
  real scale = (real)(1 / sum), rest = 0;
  for (int64_t j = 0; j < k; j++) {
    out[j] *= scale * g;
    if (j != y) rest += out[j];
  }
  out[y] = -rest; /* exact where the label is nearly certain, unlike g p - g */
}

void LAR_R(lar_xent_rows)(void *ctx, int64_t begin, int64_t end) {
  const lar_xent_job *job = ctx;
  int64_t k = job->k;
  const real *x = job->x, *g = job->g;
  real *out = job->out;
  for (int64_t i = begin; i < end; i++)
    if (g == NULL)
      out[i] = value(x + i * k, k, job->label[i] - 1);
    else
      slope(out + i * k, x + i * k, k, job->label[i] - 1, g[i]);
}
