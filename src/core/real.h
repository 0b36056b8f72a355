/*
 * core/real - for files compiled once per dtype: `real`, and names with its suffix.
 *
 * Make compiles a .c file that includes this header twice (float, double), and one that
 * includes core/number.h a third time (int64). LAR_R(gemm) is gemm_f32, gemm_f64 or gemm_i64.
 */
#ifndef LAR_CORE_REAL_H
#define LAR_CORE_REAL_H

#include <stdint.h>

#include "core/dtype.h"

#define LAR_PASTE2(a, b) a##b
#define LAR_PASTE(a, b)  LAR_PASTE2(a, b)

#if defined(LAR_REAL_F32)
typedef float real;
#define LAR_SUFFIX     _f32
#define LAR_REAL_DTYPE LAR_F32
#elif defined(LAR_REAL_I64)
typedef int64_t real;
#define LAR_SUFFIX     _i64
#define LAR_REAL_DTYPE LAR_I64
#else
typedef double real;
#define LAR_SUFFIX     _f64
#define LAR_REAL_DTYPE LAR_F64
#endif

#define LAR_R(name) LAR_PASTE(name, LAR_SUFFIX)

#endif
