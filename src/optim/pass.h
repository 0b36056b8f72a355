/*
 * optim/pass - typed passes over whole parameters that all rules share.
 */
#ifndef LAR_OPTIM_PASS_H
#define LAR_OPTIM_PASS_H

#include "core/tensor.h"

/* Sum of squares, in double. */
double lar_squares_f32(int64_t n, const void *x);
double lar_squares_f64(int64_t n, const void *x);

/* x = clamp(scale x, -bound, bound); bound may be infinite. */
void lar_clip_f32(int64_t n, void *x, double scale, double bound);
void lar_clip_f64(int64_t n, void *x, double scale, double bound);

/* x += share (y - x) */
void lar_lerp_f32(int64_t n, void *x, const void *y, double share);
void lar_lerp_f64(int64_t n, void *x, const void *y, double share);

#endif
