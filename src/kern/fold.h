/*
 * kern/fold - the typed loops of kern/reduce.
 */
#ifndef LAR_KERN_FOLD_H
#define LAR_KERN_FOLD_H

#include "kern/reduce.h"

/* out[outer][inner] = fold over x[outer][n][inner]. `wide`: results are written in the
 * accumulator's type (double, or int64 for integers and counts) instead of the dtype. */
typedef void lar_fold_body(lar_fold fold, void *out, const void *x, int64_t outer, int64_t n,
                           int64_t inner, bool wide);

lar_fold_body lar_fold_f32, lar_fold_f64, lar_fold_i64;

/* The same for m columns of a matrix whose rows are `apart`; bits of a column do not depend on
 * the others. Threads share them out by so many. */
enum { LAR_FOLD_PANEL = 64 };
typedef void lar_fold_columns_body(lar_fold fold, void *out, const void *x, int64_t n,
                                   int64_t apart, int64_t m);

lar_fold_columns_body lar_fold_columns_f32, lar_fold_columns_f64, lar_fold_columns_i64;

static inline lar_fold_columns_body *lar_fold_columns_find(lar_dtype t) {
  return t == LAR_F32   ? lar_fold_columns_f32
         : t == LAR_F64 ? lar_fold_columns_f64
                        : lar_fold_columns_i64;
}

static inline lar_fold_body *lar_fold_find(lar_dtype t) {
  return t == LAR_F32 ? lar_fold_f32 : t == LAR_F64 ? lar_fold_f64 : lar_fold_i64;
}

#endif
