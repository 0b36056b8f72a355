/*
 * op/map - elementwise kernels from a scalar function, for float32 and float64.
 *
 * Include after core/real.h, or core/number.h for int64 as well. The scalar function is
 * `static inline real f(real x, ..., const double *p)` with p the op's real parameters;
 * LAR_MAP1(exp, f) defines this dtype's loop and LAR_FMAPS(exp) names both in the entry.
 */
#ifndef LAR_OP_MAP_H
#define LAR_OP_MAP_H

#include "core/vecmath.h"

#include <string.h>
#include <tgmath.h>

#include "op/calc.h"
#include "op/op.h"

/* Arithmetic in this type is the dtype's own, but that integers wrap around, as Lua's do. */
#ifdef LAR_REAL_I64
typedef uint64_t lar_modular;
#else
typedef real lar_modular;
#endif

#define LAR_MAP_NAME(op) LAR_R(lar_map_##op)

#define LAR_MAP_HEAD(op)                                                     \
  extern lar_map lar_map_##op##_f32, lar_map_##op##_f64, lar_map_##op##_i64; \
  void LAR_MAP_LOOP(op)(int64_t n, void *out, const void *const *in, const double *p)
#define LAR_MAP_LOOP(op) LAR_PASTE(lar_map_##op, LAR_SUFFIX)

/* An output may be an input (in place), never a shifted one: hence ivdep. */
#define LAR_MAP1_TO(op, f, type)                                            \
  LAR_MAP_HEAD(op) {                                                        \
    type *y = out;                                                          \
    const real *a = in[0];                                                  \
    _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) y[i] = f(a[i], p); \
  }
#define LAR_MAP2_TO(op, f, type)                                                  \
  LAR_MAP_HEAD(op) {                                                              \
    type *y = out;                                                                \
    const real *a = in[0], *b = in[1];                                            \
    _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) y[i] = f(a[i], b[i], p); \
  }
#define LAR_MAP3_TO(op, f, type)                                                        \
  LAR_MAP_HEAD(op) {                                                                    \
    type *y = out;                                                                      \
    const real *a = in[0], *b = in[1], *c = in[2];                                      \
    _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) y[i] = f(a[i], b[i], c[i], p); \
  }

#define LAR_MAP1(op, f) LAR_MAP1_TO(op, f, real)
#define LAR_MAP2(op, f) LAR_MAP2_TO(op, f, real)
#define LAR_MAP3(op, f) LAR_MAP3_TO(op, f, real)

/* The same for a function of the C library that has a vector form (core/vecmath.h). Every
 * element goes through whole blocks, so its value does not depend on its place. */
#define LAR_VMAP1(op, f)                                                           \
  LAR_WIDE static inline void op##_block(real *restrict y, const real *restrict x, \
                                         const double *p) {                        \
    _Pragma("omp simd") for (int i = 0; i < LAR_LANES; i++) y[i] = f(x[i], p);     \
  }                                                                                \
  LAR_WIDE lar_map LAR_MAP_LOOP(op);                                               \
  LAR_MAP_HEAD(op) {                                                               \
    real *y = out;                                                                 \
    const real *a = in[0];                                                         \
    real z[LAR_LANES], x[LAR_LANES] = {0};                                         \
    int64_t at = 0;                                                                \
    for (; at + LAR_LANES <= n; at += LAR_LANES) {                                 \
      op##_block(z, a + at, p);                                                    \
      memcpy(y + at, z, sizeof z);                                                 \
    }                                                                              \
    if (at == n) return;                                                           \
    memcpy(x, a + at, (size_t)(n - at) * sizeof *x);                               \
    op##_block(z, x, p);                                                           \
    memcpy(y + at, z, (size_t)(n - at) * sizeof *z);                               \
  }
#define LAR_VMAP2(op, f)                                                             \
  LAR_WIDE static inline void op##_block(real *restrict z, const real *restrict x,   \
                                         const real *restrict y, const double *p) {  \
    _Pragma("omp simd") for (int i = 0; i < LAR_LANES; i++) z[i] = f(x[i], y[i], p); \
  }                                                                                  \
  LAR_WIDE lar_map LAR_MAP_LOOP(op);                                                 \
  LAR_MAP_HEAD(op) {                                                                 \
    real *to = out;                                                                  \
    const real *a = in[0], *b = in[1];                                               \
    real z[LAR_LANES], x[LAR_LANES] = {0}, y[LAR_LANES] = {0};                       \
    int64_t at = 0;                                                                  \
    for (; at + LAR_LANES <= n; at += LAR_LANES) {                                   \
      op##_block(z, a + at, b + at, p);                                              \
      memcpy(to + at, z, sizeof z);                                                  \
    }                                                                                \
    if (at == n) return;                                                             \
    memcpy(x, a + at, (size_t)(n - at) * sizeof *x);                                 \
    memcpy(y, b + at, (size_t)(n - at) * sizeof *y);                                 \
    op##_block(z, x, y, p);                                                          \
    memcpy(to + at, z, (size_t)(n - at) * sizeof *z);                                \
  }
enum { LAR_LANES = 16 };

#define LAR_FMAPS(op) \
  { lar_map_##op##_f32, lar_map_##op##_f64, NULL }
#define LAR_MAPS(op) \
  { lar_map_##op##_f32, lar_map_##op##_f64, lar_map_##op##_i64 }

#endif
