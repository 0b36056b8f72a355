#include "core/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/par.h"

enum { STREAMS = 64, NAME = 32, GRAIN = 16384 };

static struct stream {
  char name[NAME];
  lar_rng rng;
} streams[STREAMS];
static int count;
static uint64_t seed_now;

static uint64_t mix(uint64_t z) { /* splitmix64's finaliser */
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static uint64_t hash(const char *s) { /* FNV-1a */
  uint64_t h = 0xcbf29ce484222325u;
  for (; *s; s++) h = (h ^ (uint8_t)*s) * 0x100000001b3u;
  return h;
}

lar_rng lar_rng_make(uint64_t seed, const char *name) {
  return (lar_rng){.key = mix(seed + 0x9e3779b97f4a7c15u) ^ mix(hash(name))};
}

lar_rng *lar_rng_stream(const char *name) {
  for (int i = 0; i < count; i++)
    if (strncmp(streams[i].name, name, NAME - 1) == 0) return &streams[i].rng;
  if (count == STREAMS) return &streams[STREAMS - 1].rng;
  struct stream *s = &streams[count++];
  (void)snprintf(s->name, NAME, "%s", name);
  s->rng = lar_rng_make(seed_now, s->name);
  return &s->rng;
}

void lar_rng_seed(uint64_t seed) {
  seed_now = seed;
  for (int i = 0; i < count; i++) streams[i].rng = lar_rng_make(seed, streams[i].name);
}

uint64_t lar_rng_get_seed(void) { return seed_now; }

const char *lar_rng_nth(int k, lar_rng **state) {
  if (k >= count) return NULL;
  *state = &streams[k].rng;
  return streams[k].name;
}

void lar_philox(uint64_t key, uint64_t counter, uint32_t out[4]) {
  uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32), c2 = 0, c3 = 0;
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
    uint32_t hi0 = (uint32_t)(p0 >> 32), hi1 = (uint32_t)(p1 >> 32);
    c0 = hi1 ^ c1 ^ k0;
    c2 = hi0 ^ c3 ^ k1;
    c1 = (uint32_t)p1;
    c3 = (uint32_t)p0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

enum { LANES = LAR_PHILOX_LANES };

static inline void product(const uint32_t *c, uint32_t m, uint32_t *high, uint32_t *low) {
  for (int l = 0; l < LANES; l++) {
    uint64_t p = (uint64_t)c[l] * m;
    high[l] = (uint32_t)(p >> 32);
    low[l] = (uint32_t)p;
  }
}

/* lar_philox, a lane a counter: short loops that become vector instructions. */
void lar_philox_block(uint64_t key, uint64_t counter, uint32_t out[4][LANES]) {
  uint32_t c[4][LANES], high0[LANES], high2[LANES], low0[LANES], low2[LANES];
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int l = 0; l < LANES; l++) {
    uint64_t at = counter + (uint64_t)l;
    c[0][l] = (uint32_t)at, c[1][l] = (uint32_t)(at >> 32), c[2][l] = 0, c[3][l] = 0;
  }
#pragma GCC unroll 1
  for (int round = 0; round < 10; round++) {
    product(c[0], 0xD2511F53u, high0, low0);
    product(c[2], 0xCD9E8D57u, high2, low2);
    for (int l = 0; l < LANES; l++) c[0][l] = high2[l] ^ c[1][l] ^ k0;
    for (int l = 0; l < LANES; l++) c[2][l] = high0[l] ^ c[3][l] ^ k1;
    memcpy(c[1], low2, sizeof low2);
    memcpy(c[3], low0, sizeof low0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  memcpy(out, c, sizeof c);
}

/* 53 bits from two words, in [0, 1). */
static inline double unit(uint32_t hi, uint32_t lo) {
  return (double)((((uint64_t)hi << 32) | lo) >> 11) * 0x1p-53;
}

double lar_rng_uniform(lar_rng *r) {
  uint32_t w[4];
  lar_philox(r->key, r->at++, w);
  return unit(w[0], w[1]);
}

int64_t lar_rng_below(lar_rng *r, int64_t n) {
  uint32_t w[4];
  lar_philox(r->key, r->at++, w);
  uint64_t bits = ((uint64_t)w[0] << 32) | w[1];
  __extension__ typedef unsigned __int128 wide;
  return (int64_t)(((wide)bits * (uint64_t)n) >> 64);
}

typedef struct fill {
  uint64_t key, at;
  const lar_tensor *t;
  double a, b;
  int64_t n;
} fill;

/* One counter gives two doubles: elements 2i and 2i + 1. */
static double scaled(const fill *f, double u) {
  double v = f->a + (f->b - f->a) * u;
  if (f->t->dtype == LAR_F32 && (float)v >= (float)f->b) /* rounding must not reach the end */
    v = (double)nextafterf((float)f->b, (float)f->a);
  return v;
}

static void fill_uniform(void *ctx, int64_t begin, int64_t end) {
  const fill *f = ctx;
  for (int64_t i = begin; i < end; i++) {
    uint32_t w[4];
    lar_philox(f->key, f->at + (uint64_t)i, w);
    lar_tensor_put(f->t, 2 * i, scaled(f, unit(w[0], w[1])));
    if (2 * i + 1 < f->n) lar_tensor_put(f->t, 2 * i + 1, scaled(f, unit(w[2], w[3])));
  }
}

static void fill_normal(void *ctx, int64_t begin, int64_t end) {
  const fill *f = ctx;
  for (int64_t i = begin; i < end; i++) {
    uint32_t w[4];
    lar_philox(f->key, f->at + (uint64_t)i, w);
    double radius = sqrt(-2 * log(1 - unit(w[0], w[1])));
    double angle = 6.283185307179586 * unit(w[2], w[3]);
    lar_tensor_put(f->t, 2 * i, f->a + f->b * radius * cos(angle));
    if (2 * i + 1 < f->n) lar_tensor_put(f->t, 2 * i + 1, f->a + f->b * radius * sin(angle));
  }
}

static void run(lar_rng *r, const lar_tensor *t, double a, double b, lar_par_body *body) {
  fill f = {.key = r->key, .at = r->at, .t = t, .a = a, .b = b, .n = lar_tensor_numel(t)};
  int64_t pairs = (f.n + 1) / 2;
  r->at += (uint64_t)pairs;
  lar_par_for(pairs, GRAIN, body, &f);
}

void lar_rng_fill_uniform(lar_rng *r, const lar_tensor *t, double lo, double hi) {
  run(r, t, lo, hi, fill_uniform);
}

void lar_rng_fill_normal(lar_rng *r, const lar_tensor *t, double mean, double std) {
  run(r, t, mean, std, fill_normal);
}

void lar_rng_permutation(lar_rng *r, int64_t *out, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    int64_t j = lar_rng_below(r, i + 1);
    out[i] = out[j];
    out[j] = i;
  }
}
