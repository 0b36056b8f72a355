/* The typed loops of kern/standardise. Groups with long runs of neighbours (inner) are summed
 * run by run; others side by side, BLOCK groups at a time, row by row. */
#include <math.h>

#include "core/real.h"
#include "kern/standardise.h"

enum { LANES = 16, BLOCK = 512, SHORT = 16 };

/* Sums over a group, or over each of m groups side by side: of a, or of (a - shift)^2, or of a
 * b. */
typedef enum what { PLAIN, SQUARES, PRODUCTS } what;

static double run_sum(what kind, const real *a, const real *b, double shift, int64_t n) {
  double lane[LANES] = {0}, sum = 0;
  int64_t i = 0;
#define ROUND(expr)                                    \
  for (; i + LANES <= n; i += LANES)                   \
    for (int k = 0; k < LANES; k++) lane[k] += (expr); \
  for (int k = 0; i + k < n; k++) lane[k] += (expr)
  if (kind == PLAIN) {
    ROUND((double)a[i + k]);
  } else if (kind == SQUARES) {
    ROUND(((double)a[i + k] - shift) * ((double)a[i + k] - shift));
  } else {
    ROUND((double)a[i + k] * (double)b[i + k]);
  }
#undef ROUND
  for (int k = 0; k < LANES; k++) sum += lane[k];
  return sum;
}

/* sum[0..m) += one element of each of m groups, `step` apart. */
static inline void side_sum(what kind, const real *p, const real *q, int64_t step,
                            const double *shift, int64_t m, double *sum) {
  if (kind == PLAIN)
    for (int64_t k = 0; k < m; k++) sum[k] += (double)p[k * step];
  else if (kind == SQUARES)
    for (int64_t k = 0; k < m; k++) {
      double d = (double)p[k * step] - shift[k];
      sum[k] += d * d;
    }
  else
    for (int64_t k = 0; k < m; k++) sum[k] += (double)p[k * step] * (double)q[k * step];
}

/* sum[0..m) over all rows, of short runs. */
static void side_sums(const lar_standard *j, what kind, const real *a, const real *b,
                      const double *shift, int64_t first, int64_t m, double *sum) {
  for (int64_t k = 0; k < m; k++) sum[k] = 0;
  for (int64_t o = 0; o < j->outer; o++) {
    int64_t at = (o * j->c + first) * j->inner;
    if (j->inner == 1) /* known here, so that the compiler sees neighbours */
      side_sum(kind, a + at, b + at, 1, shift, m, sum);
    else
      for (int64_t i = 0; i < j->inner; i++)
        side_sum(kind, a + at + i, b + at + i, j->inner, shift, m, sum);
  }
}

/* Sums of groups [first, first + m), m at most BLOCK. */
static void sums(const lar_standard *j, what kind, const real *a, const real *b,
                 const double *shift, int64_t first, int64_t m, double *sum) {
  if (j->inner < SHORT) {
    side_sums(j, kind, a, b, shift, first, m, sum);
    return;
  }
  for (int64_t k = 0; k < m; k++) {
    sum[k] = 0;
    for (int64_t o = 0; o < j->outer; o++) {
      int64_t at = (o * j->c + first + k) * j->inner;
      sum[k] += run_sum(kind, a + at, b + at, shift != NULL ? shift[k] : 0, j->inner);
    }
  }
}

/* out = scale (a - shift - b slope), with numbers for each group; b may be NULL. */
static void combine(const lar_standard *j, real *out, const real *a, const real *b,
                    const real *scale, const real *shift, const real *slope, int64_t first,
                    int64_t m) {
  for (int64_t o = 0; o < j->outer; o++) {
    int64_t at = (o * j->c + first) * j->inner;
    if (j->inner == 1) {
      if (b == NULL)
        for (int64_t k = 0; k < m; k++) out[at + k] = scale[k] * (a[at + k] - shift[k]);
      else
        for (int64_t k = 0; k < m; k++)
          out[at + k] = scale[k] * (a[at + k] - shift[k] - b[at + k] * slope[k]);
      continue;
    }
    for (int64_t k = 0; k < m; k++, at += j->inner) {
      if (b == NULL)
        for (int64_t i = 0; i < j->inner; i++) out[at + i] = scale[k] * (a[at + i] - shift[k]);
      else
        for (int64_t i = 0; i < j->inner; i++)
          out[at + i] = scale[k] * (a[at + i] - shift[k] - b[at + i] * slope[k]);
    }
  }
}

static void forward(const lar_standard *j, int64_t first, int64_t m) {
  double mean[BLOCK], var[BLOCK], n = (double)(j->outer * j->inner);
  real shift[BLOCK], scale[BLOCK];
  sums(j, PLAIN, j->x, j->x, NULL, first, m, mean);
  for (int64_t k = 0; k < m; k++) mean[k] /= n;
  sums(j, SQUARES, j->x, j->x, mean, first, m, var);
  for (int64_t k = 0; k < m; k++) {
    ((real *)j->mean)[first + k] = shift[k] = (real)mean[k];
    ((real *)j->var)[first + k] = (real)(var[k] / n);
    scale[k] = (real)(1 / sqrt(var[k] / n + j->eps));
  }
  combine(j, j->y, j->x, NULL, scale, shift, NULL, first, m);
}

static void backward(const lar_standard *j, int64_t first, int64_t m) {
  double g[BLOCK], gy[BLOCK], n = (double)(j->outer * j->inner);
  real shift[BLOCK], scale[BLOCK], slope[BLOCK];
  sums(j, PLAIN, j->g, j->g, NULL, first, m, g);
  sums(j, PRODUCTS, j->g, j->y, NULL, first, m, gy);
  for (int64_t k = 0; k < m; k++) {
    shift[k] = (real)(g[k] / n);
    slope[k] = (real)(gy[k] / n);
    scale[k] = (real)(1 / sqrt((double)((const real *)j->var)[first + k] + j->eps));
  }
  combine(j, j->gx, j->g, j->y, scale, shift, slope, first, m);
}

/* A group that fits the cache is read once from memory; short runs go side by side. */
static int64_t together(const lar_standard *j) { return j->inner < SHORT ? BLOCK : 1; }

void LAR_R(lar_standardise_groups)(void *job, int64_t begin, int64_t end) {
  int64_t m = together(job);
  for (; begin < end; begin += m) forward(job, begin, end - begin < m ? end - begin : m);
}

void LAR_R(lar_standardise_slope_groups)(void *job, int64_t begin, int64_t end) {
  int64_t m = together(job);
  for (; begin < end; begin += m) backward(job, begin, end - begin < m ? end - begin : m);
}
