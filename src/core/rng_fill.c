/* Draws that fill a tensor: blocks of counters at a time, by a vector form of log. */
#include "core/vecmath.h" /* first */

#include <string.h>

#include "core/par.h"
#include "core/rng.h"

enum { COUNTERS = LAR_PHILOX_LANES, BLOCK = 2 * COUNTERS, GRAIN = 128 };

typedef struct fill {
  uint64_t key, at;
  const lar_tensor *t;
  double a, b;
  int64_t n;
} fill;

/* One counter gives two doubles, of 53 bits in [0, 1): elements 2i and 2i + 1. */
LAR_WIDE static void units(const fill *f, int64_t block, double *even, double *odd) {
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

LAR_WIDE static void put(const fill *f, int64_t block, const double *even, const double *odd) {
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

LAR_WIDE static void fill_uniform(void *ctx, int64_t begin, int64_t end) {
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

/* v w + c */
#ifdef FP_FAST_FMA
#define STEP(v, w, c) fma(v, w, c)
#else
#define STEP(v, w, c) ((v) * (w) + (c))
#endif

/* Sine and cosine of a quarter turn's part r, at most a half: polynomials that are within 1e-18
 * (sine, relative) and 1e-19 of them. */
LAR_WIDE static inline double sine(double r) {
  double t = r * r, v = 5.6339337815378542507e-08;
  v = STEP(v, t, -3.5986433529823099046e-06);
  v = STEP(v, t, 1.6044115074219091012e-04);
  v = STEP(v, t, -4.6817541323409756285e-03);
  v = STEP(v, t, 7.9692626246043007932e-02);
  v = STEP(v, t, -6.4596409750624428359e-01);
  return r * STEP(v, t, 1.570796326794896558);
}

LAR_WIDE static inline double cosine(double r) {
  double t = r * r, v = -6.3212568696285881103e-09;
  v = STEP(v, t, 4.7106097267578227736e-07);
  v = STEP(v, t, -2.5202036770460259536e-05);
  v = STEP(v, t, 9.1926027418315575754e-04);
  v = STEP(v, t, -2.0863480763311209598e-02);
  v = STEP(v, t, 2.53669507901046698e-01);
  v = STEP(v, t, -1.233700550136169749);
  return STEP(v, t, 1.0);
}

#define SIGN(bit) ((uint64_t)(bit) << 62) /* of a second bit */

/* x = a + r cos(2 pi u), y = a + r sin(2 pi u): by the quarter of the turn, the nearest one,
 * which adding 1.5 * 2^52 leaves in the last bits. */
LAR_WIDE static inline void point(double a, double r, double u, double *x, double *y) {
  const double whole = 0x1.8p52;
  double sum = 4 * u + whole, rest = 4 * u - (sum - whole);
  double s = sine(rest), c = cosine(rest), across, up;
  uint64_t quarter, bits[2];
  memcpy(&quarter, &sum, sizeof sum);
  across = quarter & 1 ? s : c;
  up = quarter & 1 ? c : s;
  memcpy(&bits[0], &across, sizeof across);
  memcpy(&bits[1], &up, sizeof up);
  bits[0] ^= SIGN((quarter + 1) & 2);
  bits[1] ^= SIGN(quarter & 2);
  memcpy(&across, &bits[0], sizeof across);
  memcpy(&up, &bits[1], sizeof up);
  *x = a + r * across;
  *y = a + r * up;
}

/* Box & Muller 1958, Annals of Mathematical Statistics 29. */
LAR_WIDE static void fill_normal(void *ctx, int64_t begin, int64_t end) {
  const fill *f = ctx;
  double radius[COUNTERS], turn[COUNTERS], x[COUNTERS], y[COUNTERS];
  for (int64_t b = begin; b < end; b++) {
    units(f, b, radius, turn);
#pragma omp simd
    for (int k = 0; k < COUNTERS; k++) radius[k] = log(1 - radius[k]);
#pragma omp simd
    for (int k = 0; k < COUNTERS; k++)
      point(f->a, f->b * sqrt(-2 * radius[k]), turn[k], &x[k], &y[k]);
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

typedef struct whole {
  uint64_t key, at;
  int64_t *out, n, lo, count;
} whole;

static void fill_integers(void *ctx, int64_t begin, int64_t end) {
  const whole *f = ctx;
  uint64_t w[BLOCK];
  for (int64_t b = begin; b < end; b++) {
    int64_t first = b * COUNTERS, n = f->n - first < COUNTERS ? f->n - first : COUNTERS;
    lar_philox_block(f->key, f->at + (uint64_t)first, w);
    for (int64_t k = 0; k < n; k++)
      f->out[first + k] = f->lo + lar_rng_share(w[k] << 32 | w[k] >> 32, f->count);
  }
}

void lar_rng_fill_integers(lar_rng *r, int64_t *out, int64_t n, int64_t lo, int64_t count) {
  whole f = {r->key, r->at, out, n, lo, count};
  r->at += (uint64_t)n;
  lar_par_for((n + COUNTERS - 1) / COUNTERS, GRAIN, fill_integers, &f);
}
