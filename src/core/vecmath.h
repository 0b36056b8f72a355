/*
 * core/vecmath - tells the compiler that the C library has vector forms of exp, tanh, ...
 *
 * glibc's libmvec computes them for 4, 8 or 16 numbers at a time, at most 4 units in the last
 * place from the true value; infinities and NaN come out as in the scalar forms. The compiler
 * calls them in loops marked `omp simd`. Elsewhere the scalar forms serve. Include first.
 *
 * What ops make of them keeps to that: exp, expm1, log, log1p, tanh, sigmoid, erf, softplus,
 * pow and atan2 are at most 4 units from the true value over the whole range of their dtype,
 * denormals included; gelu is at most 6, and 6 + 2 x^2 for negative x
 * (spec/op/accuracy_spec.lua).
 */
#ifndef LAR_CORE_VECMATH_H
#define LAR_CORE_VECMATH_H

#include <math.h>

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
#if __GLIBC_PREREQ(2, 35)
#define LAR_WIDE __attribute__((target("prefer-vector-width=512")))
#define LAR_SIMD(fn)                                             \
  double fn(double) __attribute__((simd("notinbranch"), const)); \
  float fn##f(float) __attribute__((simd("notinbranch"), const));
#define LAR_SIMD2(fn)                                                    \
  double fn(double, double) __attribute__((simd("notinbranch"), const)); \
  float fn##f(float, float) __attribute__((simd("notinbranch"), const));
LAR_SIMD(exp)
LAR_SIMD(expm1)
LAR_SIMD(log)
LAR_SIMD(log1p)
LAR_SIMD(sin)
LAR_SIMD(cos)
LAR_SIMD(tan)
LAR_SIMD(sinh)
LAR_SIMD(cosh)
LAR_SIMD(tanh)
LAR_SIMD(atan)
LAR_SIMD(erf)
LAR_SIMD(erfc)
LAR_SIMD(cbrt)
LAR_SIMD2(atan2)
LAR_SIMD2(pow)
#undef LAR_SIMD
#undef LAR_SIMD2
#endif
#endif

/* Of functions that call them: by the longest vectors there are, which takes half the time. */
#ifndef LAR_WIDE
#define LAR_WIDE
#endif

#endif
