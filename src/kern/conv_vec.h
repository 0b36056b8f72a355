/*
 * kern/conv_vec - one register of reals, and how many there are, for the loops of kern/conv.
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

#endif
