/*
 * kern/norm - p-norms along the middle axis of a block.
 *
 * Floor:    kern. x is a row-major block (outer, n, inner) of floats; y is (outer, inner).
 * Contract: sums of powers are in double, so float32 neither overflows nor underflows.
 *           p = 0 counts what is not 0, p = inf is the largest magnitude.
 */
#ifndef LAR_KERN_NORM_H
#define LAR_KERN_NORM_H

#include "core/tensor.h"

void lar_norm_f32(void *y, const void *x, const int64_t sizes[3], double p);
void lar_norm_f64(void *y, const void *x, const int64_t sizes[3], double p);

#endif
