/*
 * kern/gemv_loops - y = A x for A of m rows and k columns with such strides, x with its own.
 */
#ifndef LAR_KERN_GEMV_LOOPS_H
#define LAR_KERN_GEMV_LOOPS_H

#include <stdint.h>

enum { LAR_GEMV_MOST = 4096 }; /* elements of A: beyond, BLAS is as fast */

typedef void lar_gemv_body(int64_t m, int64_t k, void *y, const void *a, int64_t rows,
                           int64_t columns, const void *x, int64_t step);
extern lar_gemv_body lar_gemv_f32, lar_gemv_f64;

/* C = x y^T: m rows and n columns without gaps, x and y with such strides. */
typedef void lar_outer_body(int64_t m, int64_t n, void *c, const void *x, int64_t xstep,
                            const void *y, int64_t ystep);
extern lar_outer_body lar_outer_f32, lar_outer_f64;

#endif
