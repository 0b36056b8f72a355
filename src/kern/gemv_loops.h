/*
 * kern/gemv_loops - y = A x for A of m rows and k columns that lie `step` elements apart.
 */
#ifndef LAR_KERN_GEMV_LOOPS_H
#define LAR_KERN_GEMV_LOOPS_H

#include <stdint.h>

typedef void lar_gemv_body(int64_t m, int64_t k, void *y, const void *a, int64_t step,
                           const void *x);
extern lar_gemv_body lar_gemv_rows_f32, lar_gemv_rows_f64, lar_gemv_columns_f32,
  lar_gemv_columns_f64;

#endif
