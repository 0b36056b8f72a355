/*
 * kern/extreme - largest and smallest elements along one axis of a block.
 *
 * Floor:    kern. x is a row-major block (outer, n, inner) of float32, float64 or int64.
 * Contract: the first of equals wins; a NaN beats everything. n is at least 1.
 */
#ifndef LAR_KERN_EXTREME_H
#define LAR_KERN_EXTREME_H

#include "core/tensor.h"

/* value[outer][inner] in x's dtype and 1-based place[outer][inner]; either may be NULL. */
void lar_extreme(bool largest, lar_dtype t, void *value, int64_t *place, const void *x,
                 const int64_t sizes[3]);

typedef struct lar_extreme_job {
  bool largest;
  void *value;
  int64_t *place;
  const void *x;
  int64_t n, inner;
} lar_extreme_job;

void lar_extreme_rows_f32(void *job, int64_t begin, int64_t end);
void lar_extreme_rows_f64(void *job, int64_t begin, int64_t end);
void lar_extreme_rows_i64(void *job, int64_t begin, int64_t end);

#endif
