/* Draws that fill a tensor: blocks of counters at a time, by vector forms of log, sin, cos. */
#include "core/vecmath.h" /* first */

#include <string.h>

#include "core/par.h"
#include "core/rng.h"

enum { COUNTERS = LAR_PHILOX_LANES, BLOCK = 2 * COUNTERS, GRAIN = 1024 };

typedef struct fill {
  uint64_t key, at;
  const lar_tensor *t;
  double a, b;
  int64_t n;
} fill;

/* One counter gives two doubles, of 53 bits in [0, 1): elements 2i and 2i + 1. */
static void units(const fill *f, int64_t block, double *even, double *odd) {
  uint64_t w[BLOCK];
  double u[BLOCK];
  lar_philox_block(f->key, f->at + (uint64_t)(block * COUNTERS), w);
  for (int k = 0; k < BLOCK; k++) {
    uint64_t bits = w[k] << 32 | w[k] >> 32; /* the word that came first is the high one */
    u[k] = (double)(int64_t)(bits >> 11) * 0x1p-53;
  }
  memcpy(even, u, COUNTERS * sizeof *u);
  memcpy(odd, u + COUNTERS, COUNTERS * sizeof *u);
}

static void put(const fill *f, int64_t block, const double *even, const double *odd) {
  int64_t first = block * BLOCK, n = f->n - first < BLOCK ? f->n - first : BLOCK;
  if (f->t->dtype == LAR_F64) {
    double v[BLOCK];
    for (int k = 0; k < COUNTERS; k++) v[2 * k] = even[k], v[2 * k + 1] = odd[k];
    memcpy((double *)lar_tensor_data(f->t) + first, v, (size_t)n * sizeof *v);
  } else {
    float v[BLOCK];
    for (int k = 0; k < COUNTERS; k++) v[2 * k] = (float)even[k], v[2 * k + 1] = (float)odd[k];
    memcpy((float *)lar_tensor_data(f->t) + first, v, (size_t)n * sizeof *v);
  }
}

static void fill_uniform(void *ctx, int64_t begin, int64_t end) {
  const fill *f = ctx;
  double u[BLOCK], bound = HUGE_VAL, last = 0;
  if (f->t->dtype == LAR_F32) { /* rounding must not reach the end */
    last = (double)nextafterf((float)f->b, (float)f->a);
    bound = (double)(float)f->b;
  }
  for (int64_t b = begin; b < end; b++) {
    units(f, b, u, u + COUNTERS);
    for (int k = 0; k < BLOCK; k++) {
      double v = f->a + (f->b - f->a) * u[k];
      u[k] = (double)(float)v >= bound ? last : v;
    }
    put(f, b, u, u + COUNTERS);
  }
}

/* Box & Muller 1958, Annals of Mathematical Statistics 29. */
static void fill_normal(void *ctx, int64_t begin, int64_t end) {
  const fill *f = ctx;
  double radius[COUNTERS], angle[COUNTERS], x[COUNTERS], y[COUNTERS];
  for (int64_t b = begin; b < end; b++) {
    units(f, b, radius, angle);
    for (int k = 0; k < COUNTERS; k++) angle[k] *= 6.283185307179586;
#pragma omp simd
    for (int k = 0; k < COUNTERS; k++) radius[k] = log(1 - radius[k]);
#pragma omp simd
    for (int k = 0; k < COUNTERS; k++) x[k] = cos(angle[k]);
#pragma omp simd
    for (int k = 0; k < COUNTERS; k++) y[k] = sin(angle[k]);
    for (int k = 0; k < COUNTERS; k++) {
      double r = f->b * sqrt(-2 * radius[k]);
      x[k] = f->a + r * x[k];
      y[k] = f->a + r * y[k];
    }
    put(f, b, x, y);
  }
}

static void run(lar_rng *r, const lar_tensor *t, double a, double b, lar_par_body *body) {
  fill f = {.key = r->key, .at = r->at, .t = t, .a = a, .b = b, .n = lar_tensor_numel(t)};
  r->at += (uint64_t)((f.n + 1) / 2);
  lar_par_for((f.n + BLOCK - 1) / BLOCK, GRAIN, body, &f);
}

void lar_rng_fill_uniform(lar_rng *r, const lar_tensor *t, double lo, double hi) {
  run(r, t, lo, hi, fill_uniform);
}

void lar_rng_fill_normal(lar_rng *r, const lar_tensor *t, double mean, double std) {
  run(r, t, mean, std, fill_normal);
}
