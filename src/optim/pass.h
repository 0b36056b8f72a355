/*
 * optim/pass - typed passes over whole parameters that all rules share.
 */
#ifndef LAR_OPTIM_PASS_H
#define LAR_OPTIM_PASS_H

#include "core/tensor.h"

/* Sum of squares, in double. */
double lar_squares_f32(int64_t n, const void *x);
double lar_squares_f64(int64_t n, const void *x);

/* The same, and out = x + times y */
double lar_squares_join_f32(int64_t n, const void *x, double times, const void *y, void *out);
double lar_squares_join_f64(int64_t n, const void *x, double times, const void *y, void *out);

/* x = clamp(scale x, -bound, bound); bound may be infinite. */
void lar_clip_f32(int64_t n, void *x, double scale, double bound);
void lar_clip_f64(int64_t n, void *x, double scale, double bound);

/* x += share (y - x) */
void lar_lerp_f32(int64_t n, void *x, const void *y, double share);
void lar_lerp_f64(int64_t n, void *x, const void *y, double share);

/* x += share y */
void lar_join_f32(int64_t n, void *x, const void *y, double share);
void lar_join_f64(int64_t n, void *x, const void *y, double share);

/* to = x; x = from; to += share x: between a dtype and double. */
void lar_widen_f32(int64_t n, const void *x, double *to);
void lar_widen_f64(int64_t n, const void *x, double *to);
void lar_narrow_f32(int64_t n, const double *from, void *x);
void lar_narrow_f64(int64_t n, const double *from, void *x);
void lar_widen_join_f32(int64_t n, double share, const void *x, double *to);
void lar_widen_join_f64(int64_t n, double share, const void *x, double *to);

/* Sum of (x - y)^2, in double. */
double lar_distance_f32(int64_t n, const void *x, const void *y);
double lar_distance_f64(int64_t n, const void *x, const void *y);

/* Sum of 1 / x^2, in double. */
double lar_inverse_squares_f32(int64_t n, const void *x);
double lar_inverse_squares_f64(int64_t n, const void *x);

/* w = old + (w - old) scale / metric: the steps taken, for one metric in place of many. */
void lar_even_f32(int64_t n, void *w, const void *old, const void *metric, double scale);
void lar_even_f64(int64_t n, void *w, const void *old, const void *metric, double scale);

#endif
