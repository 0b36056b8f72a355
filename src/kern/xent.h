/*
 * kern/xent - -log softmax(x)_y for rows of x and labels y, and its slope.
 *
 * Floor:    kern. x is a row-major block (n, k) of floats, labels are 1..k; sums in double.
 * Contract: the largest element is taken out first, so nothing overflows.
 */
#ifndef LAR_KERN_XENT_H
#define LAR_KERN_XENT_H

#include "core/tensor.h"

typedef struct lar_xent_job {
  int64_t k;
  const void *x, *g; /* g (n): NULL asks for the values, else for g (softmax(x) - [k = y]) */
  const int64_t *label;
  void *out; /* (n), or (n, k) */
} lar_xent_job;

void lar_xent(lar_dtype t, int64_t n, lar_xent_job *job);

/* Rows [begin, end); x's dtype is in the name. */
void lar_xent_rows_f32(void *job, int64_t begin, int64_t end);
void lar_xent_rows_f64(void *job, int64_t begin, int64_t end);

#endif
