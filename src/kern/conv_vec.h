/*
 * kern/conv_vec - one register of reals, and how many there are: for kern/conv and kern/turn.
 */
#ifndef LAR_KERN_CONV_VEC_H
#define LAR_KERN_CONV_VEC_H

#include "core/real.h"

/* Products are fused with sums here: every element goes through the same registers, whatever
 * its place, so this changes no bit between one layout and another. */
#ifdef __GNUC__
#pragma GCC optimize("fp-contract=fast")
#endif

#if defined(__AVX512F__)
#define LAR_VEC_BYTES 64
#define LAR_VEC_MANY  1 /* 32 registers, not 16 */
#elif defined(__AVX__)
#define LAR_VEC_BYTES 32
#define LAR_VEC_MANY  0
#else
#define LAR_VEC_BYTES 16
#define LAR_VEC_MANY  0
#endif

enum { LANES = LAR_VEC_BYTES / (int)sizeof(real) };

typedef real vec __attribute__((vector_size(LAR_VEC_BYTES)));
typedef real vec_any
  __attribute__((vector_size(LAR_VEC_BYTES), may_alias, aligned(sizeof(real))));

/* As many integers of the same size: masks, all bits or none, and places for shuffles. */
#ifdef LAR_REAL_F32
typedef int32_t vec_int;
#else
typedef int64_t vec_int;
#endif
typedef vec_int vec_mask __attribute__((vector_size(LAR_VEC_BYTES)));

#define ALWAYS static inline __attribute__((always_inline))

/* v in every lane; v - 0 is v, and is left to one load that spreads it. */
ALWAYS vec vec_all(real v) { return v - (vec){0}; }
ALWAYS vec vec_load(const real *p) { return *(const vec_any *)p; }
ALWAYS void vec_store(real *p, vec v) { *(vec_any *)p = v; }

/* 0 for what is negative; NaN stays. */
ALWAYS vec vec_clip(vec v) {
  vec same = v;
  return (vec)(((vec_mask)(v > 0) | (vec_mask)(v != same)) & (vec_mask)v);
}

/* Elements of a and b, counted on from one to the other, by their places. */
ALWAYS vec vec_pick(vec a, vec b, vec_mask from) {
#ifdef __clang__
  vec out = a;
  for (int k = 0; k < LANES; k++) out[k] = from[k] < LANES ? a[from[k]] : b[from[k] - LANES];
  return out;
#else
  return __builtin_shuffle(a, b, from);
#endif
}

/* Of 2 LANES neighbours a, b: those in even places, those in odd ones. */
ALWAYS vec_mask vec_places(int first, int step) {
  vec_mask m = {0};
  for (int k = 0; k < LANES; k++) m[k] = (vec_int)(first + k * step);
  return m;
}
ALWAYS vec vec_even(vec a, vec b) { return vec_pick(a, b, vec_places(0, 2)); }
ALWAYS vec vec_odd(vec a, vec b) { return vec_pick(a, b, vec_places(1, 2)); }
/* a and b dealt one by one, a[0] b[0] a[1] ...: the first half, the second; to memory. */
ALWAYS vec_mask vec_deal(int first) {
  vec_mask m = {0};
  for (int k = 0; k < LANES; k++) m[k] = (vec_int)(first + k / 2 + k % 2 * LANES);
  return m;
}
ALWAYS vec vec_low(vec a, vec b) { return vec_pick(a, b, vec_deal(0)); }
ALWAYS vec vec_high(vec a, vec b) { return vec_pick(a, b, vec_deal(LANES / 2)); }
ALWAYS void vec_zip(real *to, vec even, vec odd) {
  vec_store(to, vec_low(even, odd));
  vec_store(to + LANES, vec_high(even, odd));
}

/* LANES rows of LANES places, `apart` from each other, turned over into rows `to_apart`: each
 * step deals the rows of one half among those of the other. */
ALWAYS void vec_turn(const real *from, int64_t apart, real *to, int64_t to_apart) {
  vec a[LANES], b[LANES];
  for (int i = 0; i < LANES; i++) a[i] = vec_load(from + i * apart);
  for (int step = 1; step < LANES; step *= 2) {
    for (int i = 0; i < LANES / 2; i++) {
      b[2 * i] = vec_low(a[i], a[i + LANES / 2]);
      b[2 * i + 1] = vec_high(a[i], a[i + LANES / 2]);
    }
    for (int i = 0; i < LANES; i++) a[i] = b[i];
  }
  for (int i = 0; i < LANES; i++) vec_store(to + i * to_apart, a[i]);
}

#endif
