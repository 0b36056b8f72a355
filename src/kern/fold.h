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

static inline lar_fold_body *lar_fold_find(lar_dtype t) {
  return t == LAR_F32 ? lar_fold_f32 : t == LAR_F64 ? lar_fold_f64 : lar_fold_i64;
}

#endif
