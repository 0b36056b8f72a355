/*
 * kern/pool - largest elements and means of windows that move over planes.
 *
 * Floor:    kern. x is row-major (planes, size), y (planes, out); the windows are those of a
 *           kernel, or, where `kernel` is 0, they divide the plane into `out` parts that
 *           differ by one at most. Padding holds nothing: it is never the largest, and counts
 *           in a mean where `count_pad` says so.
 * Contract: NaN is the largest; of equals the first is. All write every element of their
 *           first argument.
 */
#ifndef LAR_KERN_POOL_H
#define LAR_KERN_POOL_H

#include "core/tensor.h"
#include "kern/window.h"

typedef struct lar_pool {
  int64_t planes;
  LAR_WINDOW;
  bool count_pad;
  bool clip;  /* lar_pool_max_spread: 0 where the largest is not positive */
  bool coded; /* there, for windows of 2 by 2 side by side: x holds their codes (pool_quad) */
} lar_pool;

/* Windows of 2 by 2 side by side? */
bool lar_pool_in_pairs(const lar_pool *v);

void lar_pool_max(const lar_pool *v, lar_dtype t, void *y, const void *x);

/* Zeros like x, with the element of each window in y added where x's largest is. */
void lar_pool_max_spread(const lar_pool *v, lar_dtype t, void *to, const void *y,
                         const void *x);

/* The elements of u, which is like x, where the windows of x have their largest. */
void lar_pool_max_pick(const lar_pool *v, lar_dtype t, void *y, const void *u, const void *x);

void lar_pool_mean(const lar_pool *v, lar_dtype t, void *y, const void *x);

/* Zeros like x, with the element of each window in y shared out among its elements. */
void lar_pool_mean_spread(const lar_pool *v, lar_dtype t, void *to, const void *y);

#endif
