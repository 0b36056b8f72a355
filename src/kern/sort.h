/*
 * kern/sort - stable order of the elements along an axis of a block.
 *
 * Floor:    kern. x is a row-major block (outer, n, inner) of float32, float64 or int64.
 * Contract: NaN counts as the largest. Equal elements keep their order either way.
 */
#ifndef LAR_KERN_SORT_H
#define LAR_KERN_SORT_H

#include "core/tensor.h"

/* place[outer][most][inner]: the 1-based places of the first elements in their order. */
lar_status lar_argsort(bool descending, lar_dtype t, int64_t *place, const void *x,
                       const int64_t sizes[3], int64_t most);

typedef lar_status lar_argsort_body(bool descending, int64_t *place, const void *x,
                                    const int64_t sizes[3], int64_t most);
lar_argsort_body lar_argsort_f32, lar_argsort_f64, lar_argsort_i64;

#endif
