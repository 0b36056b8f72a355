#include "kern/norm.h"

#include <math.h>

#include "core/par.h"
#include "core/real.h"

enum { LANES = 8 };

static double largest(const real *x, int64_t n, int64_t step) {
  double top = 0;
  for (int64_t i = 0; i < n; i++) {
    double v = fabs((double)x[i * step]);
    if (!(v <= top)) top = v;
    if (top != top) break;
  }
  return top;
}

/* Squares that may leave the range of double are scaled by the largest first. */
static double euclid(const real *x, int64_t n, int64_t step) {
  double lane[LANES] = {0}, sum = 0;
  int64_t i = 0;
  for (; step == 1 && i + LANES <= n; i += LANES)
    for (int k = 0; k < LANES; k++) lane[k] += (double)x[i + k] * (double)x[i + k];
  for (; i < n; i++) sum += (double)x[i * step] * (double)x[i * step];
  for (int k = 0; k < LANES; k++) sum += lane[k];
  if (sum > 1e-280 && sum < 1e280) return sqrt(sum);
  double top = largest(x, n, step);
  if (top == 0 || !isfinite(top)) return top;
  sum = 0;
  for (i = 0; i < n; i++) {
    double v = (double)x[i * step] / top;
    sum += v * v;
  }
  return top * sqrt(sum);
}

static double norm(const real *x, int64_t n, int64_t step, double p) {
  double sum = 0;
  if (p == 2) return euclid(x, n, step);
  if (isinf(p)) return largest(x, n, step);
  for (int64_t i = 0; i < n; i++) {
    double v = fabs((double)x[i * step]);
    sum += p == 0 ? v != 0 : p == 1 ? v : pow(v, p);
  }
  return p == 0 || p == 1 ? sum : pow(sum, 1 / p);
}

typedef struct job {
  real *y;
  const real *x;
  int64_t n, inner;
  double p;
} job;

static void rows(void *ctx, int64_t begin, int64_t end) {
  const job *j = ctx;
  for (int64_t r = begin; r < end; r++)
    j->y[r] =
      (real)norm(j->x + (r / j->inner) * j->n * j->inner + r % j->inner, j->n, j->inner, j->p);
}

void LAR_R(lar_norm)(void *y, const void *x, const int64_t sizes[3], double p) {
  job j = {y, x, sizes[1], sizes[2], p};
  lar_par_for(sizes[0] * sizes[2], 16384 / (sizes[1] + 1) + 1, rows, &j);
}
