/* Groups made of long runs, of kern/standardise: one by one, while they lie in the cache. */
#include <math.h>

#include "core/real.h"
#include "kern/standardise.h"
#include "kern/wide.h"

/* Of a run: s += sum of d = x - shift, t += sum of d^2; with g of g and g d. */
static inline void run_sums(bool slope, const real *x, const real *g, double shift, int64_t n,
                            double *s, double *t) {
  lar_wide one[2] = {{0}}, two[2] = {{0}};
  int64_t i = 0;
  for (; i + 2 * LAR_WIDE_N <= n; i += 2 * LAR_WIDE_N)
    for (int k = 0; k < 2; k++) {
      lar_wide d = LAR_WIDE_LOAD(x + i + k * LAR_WIDE_N) - shift,
               e = slope ? LAR_WIDE_LOAD(g + i + k * LAR_WIDE_N) : d;
      one[k] += e;
      two[k] += d * e;
    }
  one[0] += one[1];
  two[0] += two[1];
  for (int k = 0; k < LAR_WIDE_N; k++) {
    *s += one[0][k];
    *t += two[0][k];
  }
  for (; i < n; i++) {
    double d = (double)x[i] - shift, e = slope ? (double)g[i] : d;
    *s += e;
    *t += d * e;
  }
}

/* The same of g w and g w d. */
static void gained_sums(const real *x, const real *g, const real *w, double shift, int64_t n,
                        double *s, double *t) {
  lar_wide one = {0}, two = {0};
  int64_t i = 0;
  for (; i + LAR_WIDE_N <= n; i += LAR_WIDE_N) {
    lar_wide e = LAR_WIDE_LOAD(g + i) * LAR_WIDE_LOAD(w + i);
    one += e;
    two += e * (LAR_WIDE_LOAD(x + i) - shift);
  }
  for (int k = 0; k < LAR_WIDE_N; k++) {
    *s += one[k];
    *t += two[k];
  }
  for (; i < n; i++) {
    double e = (double)g[i] * (double)w[i];
    *s += e;
    *t += e * ((double)x[i] - shift);
  }
}

/* The first channel of group k, as a place in gain and bias. */
static int64_t channel(const lar_standard *j, int64_t k) {
  return j->gain == NULL ? 0 : k * j->per % j->count;
}

/* y = scale (x - shift) gain + bias; the gain changes from one run of `inner / per` to the
 * next. */
static void write_run(const lar_standard *j, int64_t k, real *restrict y, const real *x,
                      real shift, real scale) {
  int64_t n = j->inner / j->per, first = channel(j, k);
  const real *w = j->gain, *b = j->bias;
  if (w != NULL && n == 1) {
    for (int64_t i = 0; i < j->inner; i++)
      y[i] = scale * (x[i] - shift) * w[first + i] + b[first + i];
    return;
  }
  for (int64_t c = first; c < first + j->per; c++, x += n, y += n) {
    real a = w == NULL ? scale : scale * w[c], rest = w == NULL ? 0 : b[c];
    for (int64_t i = 0; i < n; i++) y[i] = a * (x[i] - shift) + rest;
  }
}

static void forward(const lar_standard *j, int64_t k) {
  const real *x = j->x;
  double n = (double)(j->outer * j->inner), first = (double)x[k * j->inner], s = 0, t = 0;
  int64_t step = j->c * j->inner, end = j->outer * step;
  for (int64_t at = k * j->inner; at < end; at += step)
    run_sums(false, x + at, x + at, first, j->inner, &s, &t);
  double var = (t - s * s / n) / n;
  var = var < 0 ? 0 : var;
  real shift = (real)(first + s / n), scale = (real)(1 / sqrt(var + j->eps));
  ((real *)j->mean)[k] = shift;
  ((real *)j->var)[k] = (real)var;
  for (int64_t at = k * j->inner; at < end; at += step)
    write_run(j, k, (real *)j->y + at, x + at, shift, scale);
}

/* The derivative of group k: how x is told from the mean, and the sums that it takes. */
typedef struct back {
  double mean, r, s, t;
} back;

/* Channel by channel, leaving the sums of each for its gain and bias. */
static void channel_sums(const lar_standard *j, int64_t k, int64_t o, back *b) {
  int64_t n = j->inner / j->per, run = (o * j->c + k) * j->per;
  const real *x = (const real *)j->x + run * n, *g = (const real *)j->g + run * n;
  const real *w = j->gain;
  for (int64_t c = 0; c < j->per; c++, x += n, g += n) {
    double s = 0, t = 0, gain = 1;
    run_sums(true, x, g, b->mean, n, &s, &t);
    if (w != NULL) {
      int64_t at = (run + c) / j->count, place = (run + c) % j->count;
      double *part = j->part + at * 2 * j->count + place;
      part[0] = s;
      part[j->count] = t * b->r;
      gain = (double)w[place];
    }
    b->s += gain * s;
    b->t += gain * t;
  }
}

/* gx = r (g gain - shift - d slope) */
static void write_slope(const lar_standard *j, int64_t k, int64_t at, const back *b) {
  double count = (double)(j->outer * j->inner);
  int64_t n = j->inner / j->per, first = channel(j, k);
  const real *x = (const real *)j->x + at, *g = (const real *)j->g + at, *w = j->gain;
  real *restrict gx = (real *)j->gx + at, mean = (real)b->mean, r = (real)b->r;
  real shift = (real)(b->s / count);
  real slope = (real)(j->mean == NULL ? b->t / count : b->t * b->r * b->r / count);
  if (w != NULL && n == 1) {
    for (int64_t i = 0; i < j->inner; i++)
      gx[i] = r * (g[i] * w[first + i] - shift - (x[i] - mean) * slope);
    return;
  }
  for (int64_t c = first; c < first + j->per; c++, x += n, g += n, gx += n) {
    real gain = w == NULL ? 1 : w[c];
    for (int64_t i = 0; i < n; i++) gx[i] = r * (g[i] * gain - shift - (x[i] - mean) * slope);
  }
}

/* What the elements of group k add to the slopes of their own gains and biases. */
static void add_gains(const lar_standard *j, int64_t k, const back *b, double *restrict part) {
  const real *x = (const real *)j->x + k * j->inner, *g = (const real *)j->g + k * j->inner;
  int64_t first = channel(j, k);
  for (int64_t i = 0; i < j->inner; i++) {
    double e = (double)g[i];
    part[first + i] += e;
    part[j->count + first + i] += e * (((double)x[i] - b->mean) * b->r);
  }
}

static void backward(const lar_standard *j, int64_t k, double *part) {
  const real *mean = j->mean, *var = j->var, *x = j->x, *g = j->g, *w = j->gain;
  int64_t at = k * j->inner, step = j->c * j->inner;
  back b = {.mean = mean == NULL ? 0 : (double)mean[k]};
  b.r = 1 / sqrt((double)var[k] + j->eps);
  if (part != NULL) {
    gained_sums(x + at, g + at, w + channel(j, k), b.mean, j->inner, &b.s, &b.t);
    add_gains(j, k, &b, part);
  } else {
    for (int64_t o = 0; o < j->outer; o++) channel_sums(j, k, o, &b);
  }
  for (int64_t o = 0; o < j->outer; o++) write_slope(j, k, at + o * step, &b);
}

void LAR_R(lar_standard_runs)(void *job, int64_t begin, int64_t end) {
  const lar_standard *j = job;
  double *part = NULL;
  if (j->g != NULL && j->gain != NULL && j->per == j->inner) {
    part = j->part + begin / j->grain * 2 * j->count;
    for (int64_t k = 0; k < 2 * j->count; k++) part[k] = 0;
  }
  for (int64_t k = begin; k < end; k++)
    if (j->g == NULL)
      forward(j, k);
    else
      backward(j, k, part);
}

void LAR_R(lar_standard_gains)(const lar_standard *j) {
  real *ggain = j->ggain, *gbias = j->gbias;
  double *sum = j->part;
  for (int64_t d = 1; d < j->down; d++)
    for (int64_t k = 0; k < 2 * j->count; k++) sum[k] += sum[d * 2 * j->count + k];
  for (int64_t k = 0; k < j->count; k++) {
    gbias[k] = (real)sum[k];
    ggain[k] = (real)sum[j->count + k];
  }
}
