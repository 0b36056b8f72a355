/*
 * kern/wide - eight or four reals at a time as doubles: for sums that are taken in double.
 *
 * Floor: kern. Include after core/real.h. Macros, because a function that returns more than a
 * register holds is not portable; by name where there is an instruction, because the compiler
 * takes several for it.
 */
#ifndef LAR_KERN_WIDE_H
#define LAR_KERN_WIDE_H

#if defined(__AVX__) && defined(LAR_REAL_F32)
#include <immintrin.h>
#endif

enum { LAR_WIDE_N = 8, LAR_FOUR = 4 };

typedef double lar_wide __attribute__((vector_size(64)));
typedef real lar_wide_real
  __attribute__((vector_size(LAR_WIDE_N * sizeof(real)), aligned(sizeof(real)), may_alias));
typedef double lar_four __attribute__((vector_size(32)));
typedef real lar_four_real
  __attribute__((vector_size(LAR_FOUR * sizeof(real)), aligned(sizeof(real)), may_alias));

#if defined(__AVX512F__) && defined(LAR_REAL_F32)
#define LAR_WIDE_LOAD(x) ((lar_wide)_mm512_cvtps_pd(_mm256_loadu_ps(x)))
#else
#define LAR_WIDE_LOAD(x) __builtin_convertvector(*(const lar_wide_real *)(x), lar_wide)
#endif

#if defined(__AVX__) && defined(LAR_REAL_F32)
#define LAR_FOUR_LOAD(x) ((lar_four)_mm256_cvtps_pd(_mm_loadu_ps(x)))
#else
#define LAR_FOUR_LOAD(x) __builtin_convertvector(*(const lar_four_real *)(x), lar_four)
#endif

#endif
