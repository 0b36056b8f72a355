/*
 * kern/softmax - softmax, its logarithm and log-sum-exp along one axis of a block.
 *
 * Floor:    kern. x is a row-major block (outer, n, inner) of floats; sums in double.
 * Contract: the largest element is taken out first, so nothing overflows. Rows of -inf give
 *           NaN for softmax and -inf for log-sum-exp; NaN stays NaN.
 */
#ifndef LAR_KERN_SOFTMAX_H
#define LAR_KERN_SOFTMAX_H

#include "core/tensor.h"

typedef enum lar_softmax_kind {
  LAR_SOFTMAX,     /* exp(x) / sum exp(x), of x's shape */
  LAR_LOG_SOFTMAX, /* x - log sum exp(x), of x's shape */
  LAR_LOGSUMEXP,   /* log sum exp(x), (outer, inner) */
} lar_softmax_kind;

void lar_softmax(lar_softmax_kind kind, lar_dtype t, void *out, const void *x,
                 const int64_t sizes[3]);

typedef struct lar_softmax_job {
  lar_softmax_kind kind;
  void *out;
  const void *x;
  int64_t n, inner;
} lar_softmax_job;

/* Where inner is 1: rows [begin, end) of the outer ones. x's dtype is in the name. */
void lar_softmax_rows_f32(void *job, int64_t begin, int64_t end);
void lar_softmax_rows_f64(void *job, int64_t begin, int64_t end);

/* Elsewhere: panels of so many columns, of the outer x ceil(inner / 64) there are. */
enum { LAR_SOFTMAX_PANEL = 64 };
void lar_softmax_panels_f32(void *job, int64_t begin, int64_t end);
void lar_softmax_panels_f64(void *job, int64_t begin, int64_t end);

#endif
