/* Groups as columns side by side, of kern/standardise: sums of tiles, joined, then one pass
 * that writes. */
#include <math.h>

#include "core/real.h"
#include "kern/standardise.h"

enum { BLOCK = LAR_STANDARD_BLOCK, TOGETHER = 4 };

/* s[0..m) += sums of `rows` rows of d = x - shift, t += sums of d^2; with g of g and g d. */
static inline void add_rows(bool slope, int rows, const real *x, const real *g, int64_t step,
                            const double *shift, int64_t m, double *restrict s,
                            double *restrict t) {
  for (int64_t k = 0; k < m; k++) {
    double one = 0, two = 0;
    for (int r = 0; r < rows; r++) {
      double d = (double)x[r * step + k] - shift[k];
      double e = slope ? (double)g[r * step + k] : d;
      one += e;
      two += d * e;
    }
    s[k] += one;
    t[k] += two;
  }
}

static inline void tile_sums(bool slope, const real *x, const real *g, int64_t rows,
                             int64_t step, const double *shift, int64_t m, double *part,
                             int64_t width) {
  double s[BLOCK] = {0}, t[BLOCK] = {0};
  int64_t r = 0;
  for (; r + TOGETHER <= rows; r += TOGETHER)
    add_rows(slope, TOGETHER, x + r * step, g + r * step, step, shift, m, s, t);
  for (; r < rows; r++) add_rows(slope, 1, x + r * step, g + r * step, step, shift, m, s, t);
  for (int64_t k = 0; k < m; k++) {
    part[k] = s[k];
    part[width + k] = t[k];
  }
}

/* What column k is counted from: the first element of its group, or the mean. */
static double origin(const lar_standard *j, int64_t k) {
  if (j->g == NULL) return (double)((const real *)j->x)[k / j->inner * j->inner];
  return j->mean == NULL ? 0 : (double)((const real *)j->mean)[k / j->inner];
}

void LAR_R(lar_standard_sum)(void *tiles, int64_t begin, int64_t end) {
  const lar_standard_tiles *t = tiles;
  const lar_standard *j = t->job;
  const real *x = j->x, *g = j->g;
  double shift[BLOCK];
  for (int64_t u = begin; u < end; u++) {
    int64_t left = u / t->down * t->width, top = u % t->down * t->rows;
    int64_t m = t->wide - left < t->width ? t->wide - left : t->width;
    int64_t rows = j->outer - top < t->rows ? j->outer - top : t->rows;
    int64_t at = top * t->wide + left;
    double *part = t->part + u * 2 * t->width;
    for (int64_t k = 0; k < m; k++) shift[k] = origin(j, left + k);
    if (g == NULL)
      tile_sums(false, x + at, x + at, rows, t->wide, shift, m, part, t->width);
    else
      tile_sums(true, x + at, g + at, rows, t->wide, shift, m, part, t->width);
  }
}

/* What the write needs to know of the columns of group k. */
static void spread(const lar_standard_tiles *t, int64_t k, double shift, double scale,
                   double slope, double rest) {
  const lar_standard *j = t->job;
  if (j->gain != NULL) scale *= (double)((const real *)j->gain)[k];
  for (int64_t i = k * j->inner; i < (k + 1) * j->inner; i++) {
    ((real *)t->shift)[i] = (real)shift;
    ((real *)t->scale)[i] = (real)scale;
    ((real *)t->slope)[i] = (real)slope;
    ((real *)t->rest)[i] = (real)rest;
  }
}

/* Group k from its two sums. */
static void settle(const lar_standard_tiles *t, int64_t k, double s, double q) {
  const lar_standard *j = t->job;
  double n = (double)(j->outer * j->inner), from = origin(j, k * j->inner);
  real *mean = j->mean, *variance = j->var, *ggain = j->ggain, *gbias = j->gbias;
  if (j->g == NULL) {
    double var = (q - s * s / n) / n;
    var = var < 0 ? 0 : var;
    mean[k] = (real)(from + s / n);
    variance[k] = (real)var;
    spread(t, k, from + s / n, 1 / sqrt(var + j->eps), 0,
           j->bias == NULL ? 0 : (double)((const real *)j->bias)[k]);
    return;
  }
  double r = 1 / sqrt((double)variance[k] + j->eps);
  if (j->gain != NULL) {
    ggain[k] = (real)(r * q);
    gbias[k] = (real)s;
  }
  spread(t, k, s / n, r, mean == NULL ? q / n : q * r * r / n, from);
}

void LAR_R(lar_standard_join)(void *tiles, int64_t begin, int64_t end) {
  const lar_standard_tiles *t = tiles;
  int64_t inner = t->job->inner;
  for (int64_t b = begin; b < end; b++) {
    double sum[2 * BLOCK] = {0};
    int64_t left = b * t->width, m = t->wide - left < t->width ? t->wide - left : t->width;
    const double *part = t->part + b * t->down * 2 * t->width;
    for (int64_t d = 0; d < t->down; d++, part += 2 * t->width)
      for (int64_t k = 0; k < m; k++) {
        sum[k] += part[k];
        sum[BLOCK + k] += part[t->width + k];
      }
    for (int64_t k = 0; k < m; k += inner) {
      double s = 0, q = 0;
      for (int64_t i = k; i < k + inner; i++) s += sum[i], q += sum[BLOCK + i];
      settle(t, (left + k) / inner, s, q);
    }
  }
}

static void write_row(const lar_standard_tiles *t, real *restrict y, const real *x) {
  const real *scale = t->scale, *shift = t->shift, *bias = t->rest;
  for (int64_t k = 0; k < t->wide; k++) y[k] = scale[k] * (x[k] - shift[k]) + bias[k];
}

static void write_slope(const lar_standard_tiles *t, real *restrict gx, const real *g,
                        const real *x) {
  const real *scale = t->scale, *shift = t->shift, *slope = t->slope, *mean = t->rest;
  for (int64_t k = 0; k < t->wide; k++)
    gx[k] = scale[k] * (g[k] - shift[k] - (x[k] - mean[k]) * slope[k]);
}

void LAR_R(lar_standard_write)(void *tiles, int64_t begin, int64_t end) {
  const lar_standard_tiles *t = tiles;
  const lar_standard *j = t->job;
  const real *x = j->x, *g = j->g;
  real *y = j->y, *gx = j->gx;
  for (int64_t at = begin * t->wide; at < end * t->wide; at += t->wide)
    if (g == NULL)
      write_row(t, y + at, x + at);
    else
      write_slope(t, gx + at, g + at, x + at);
}
