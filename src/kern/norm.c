#include "kern/norm.h"

#include <math.h>
#include <stdbool.h>

#include "core/par.h"
#include "core/real.h"

enum { LANES = 8 };

static double largest(const real *x, int64_t n, int64_t step) {
  real top = 0;
  int nans = 0;
#pragma omp simd reduction(max : top) reduction(| : nans)
  for (int64_t i = 0; i < n; i++) {
    real v = x[i * step] < 0 ? -x[i * step] : x[i * step];
    top = v > top ? v : top;
    nans |= v != v;
  }
  return nans ? (double)NAN : (double)top;
}

static inline double part(real v, bool square) {
  return square ? (double)v * (double)v : fabs((double)v);
}

/* Of squares or of magnitudes. */
static inline double sum_of(const real *x, int64_t n, int64_t step, bool square) {
  double lane[LANES] = {0}, sum = 0;
  int64_t i = 0;
  for (; step == 1 && i + LANES <= n; i += LANES)
    for (int k = 0; k < LANES; k++) lane[k] += part(x[i + k], square);
  for (; i < n; i++) sum += part(x[i * step], square);
  for (int k = 0; k < LANES; k++) sum += lane[k];
  return sum;
}

/* Squares that may leave the range of double are scaled by the largest first. */
static double euclid(const real *x, int64_t n, int64_t step) {
  double sum = sum_of(x, n, step, true);
  if (sum > 1e-280 && sum < 1e280) return sqrt(sum);
  double top = largest(x, n, step);
  if (top == 0 || !isfinite(top)) return top;
  sum = 0;
  for (int64_t i = 0; i < n; i++) {
    double v = (double)x[i * step] / top;
    sum += v * v;
  }
  return top * sqrt(sum);
}

static double norm(const real *x, int64_t n, int64_t step, double p) {
  double sum = 0;
  if (p == 2) return euclid(x, n, step);
  if (isinf(p)) return largest(x, n, step);
  if (p == 1) return sum_of(x, n, step, false);
  for (int64_t i = 0; i < n; i++)
    sum += p == 0 ? x[i * step] != 0 : pow(fabs((double)x[i * step]), p);
  return p == 0 ? sum : pow(sum, 1 / p);
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

enum { GRAIN = 16384, PARTS = 256 };

/* One long row in parts, and the norm of each. */
typedef struct long_row {
  const real *x;
  int64_t n, part;
  double p, norms[PARTS];
} long_row;

static void parts(void *ctx, int64_t begin, int64_t end) {
  long_row *l = ctx;
  for (int64_t k = begin; k < end; k++) {
    int64_t from = k * l->part, n = l->n - from < l->part ? l->n - from : l->part;
    l->norms[k] = norm(l->x + from, n, 1, l->p);
  }
}

/* The norm of the norms of the parts, which are cut by the length alone. */
static double in_parts(const real *x, int64_t n, double p) {
  long_row l = {.x = x, .n = n, .part = (n + PARTS - 1) / PARTS, .p = p};
  if (l.part < GRAIN) l.part = GRAIN;
  int64_t count = (n + l.part - 1) / l.part;
  lar_par_for(count, 1, parts, &l);
  double all = 0;
  lar_norm_f64(&all, l.norms, (int64_t[]){1, count, 1}, p == 0 ? 1 : p); /* counts are added */
  return all;
}

void LAR_R(lar_norm)(void *y, const void *x, const int64_t sizes[3], double p) {
  job j = {y, x, sizes[1], sizes[2], p};
  int64_t count = sizes[0] * sizes[2];
  if (sizes[2] == 1 && count < LAR_PAR_LEAST && sizes[1] > GRAIN)
    for (int64_t r = 0; r < count; r++) j.y[r] = (real)in_parts(j.x + r * j.n, j.n, p);
  else
    lar_par_for(count, GRAIN / (sizes[1] + 1) + 1, rows, &j);
}
