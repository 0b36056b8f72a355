/* Groups made of long runs, of kern/standardise: one by one, while they lie in the cache. */
#include <math.h>

#include "core/real.h"
#include "kern/standardise.h"

enum { WIDE = 8 };
typedef double wide __attribute__((vector_size(8 * WIDE)));
typedef real wide_real
  __attribute__((vector_size(WIDE * sizeof(real)), aligned(sizeof(real)), may_alias));

static inline wide load(const real *x) {
  return __builtin_convertvector(*(const wide_real *)x, wide);
}

/* Of a run: s += sum of a - shift, t += sum of (a - shift)^2, or of a b for the slope. */
static inline void run_sums(bool slope, const real *a, const real *b, double shift, int64_t n,
                            double *s, double *t) {
  wide one[2] = {{0}}, two[2] = {{0}};
  int64_t i = 0;
  for (; i + 2 * WIDE <= n; i += 2 * WIDE)
    for (int k = 0; k < 2; k++) {
      wide d = slope ? load(a + i + k * WIDE) : load(a + i + k * WIDE) - shift;
      one[k] += d;
      two[k] += d * (slope ? load(b + i + k * WIDE) : d);
    }
  one[0] += one[1];
  two[0] += two[1];
  for (int k = 0; k < WIDE; k++) {
    *s += one[0][k];
    *t += two[0][k];
  }
  for (; i < n; i++) {
    double d = slope ? (double)a[i] : (double)a[i] - shift;
    *s += d;
    *t += d * (slope ? (double)b[i] : d);
  }
}

/* The two sums over group k. */
static void group_sums(const lar_standard *j, int64_t k, double shift, double *s, double *t) {
  const real *x = j->x, *g = j->g, *y = j->y;
  *s = *t = 0;
  for (int64_t o = 0; o < j->outer; o++) {
    int64_t at = (o * j->c + k) * j->inner;
    if (g == NULL)
      run_sums(false, x + at, x + at, shift, j->inner, s, t);
    else
      run_sums(true, g + at, y + at, 0, j->inner, s, t);
  }
}

static void forward(const lar_standard *j, int64_t k) {
  const real *x = j->x;
  double n = (double)(j->outer * j->inner), first = (double)x[k * j->inner], s, t;
  group_sums(j, k, first, &s, &t);
  double var = (t - s * s / n) / n;
  var = var < 0 ? 0 : var;
  real shift = (real)(first + s / n), scale = (real)(1 / sqrt(var + j->eps));
  ((real *)j->mean)[k] = shift;
  ((real *)j->var)[k] = (real)var;
  for (int64_t o = 0; o < j->outer; o++) {
    int64_t at = (o * j->c + k) * j->inner;
    const real *a = x + at;
    real *restrict y = (real *)j->y + at;
    for (int64_t i = 0; i < j->inner; i++) y[i] = scale * (a[i] - shift);
  }
}

static void backward(const lar_standard *j, int64_t k) {
  double n = (double)(j->outer * j->inner), s, t;
  group_sums(j, k, 0, &s, &t);
  real shift = (real)(s / n), slope = (real)(t / n);
  real scale = (real)(1 / sqrt((double)((const real *)j->var)[k] + j->eps));
  for (int64_t o = 0; o < j->outer; o++) {
    int64_t at = (o * j->c + k) * j->inner;
    const real *g = (const real *)j->g + at, *y = (const real *)j->y + at;
    real *restrict gx = (real *)j->gx + at;
    for (int64_t i = 0; i < j->inner; i++) gx[i] = scale * (g[i] - shift - y[i] * slope);
  }
}

void LAR_R(lar_standard_runs)(void *job, int64_t begin, int64_t end) {
  const lar_standard *j = job;
  for (int64_t k = begin; k < end; k++)
    if (j->g == NULL)
      forward(j, k);
    else
      backward(j, k);
}
