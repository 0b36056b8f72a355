/*
 * kern/scan - running sums, products and linear recurrences along an axis of a block.
 *
 * Floor:    kern. Blocks are row-major (outer, n, inner); floats accumulate in double.
 */
#ifndef LAR_KERN_SCAN_H
#define LAR_KERN_SCAN_H

#include "core/tensor.h"

typedef enum lar_scan_kind {
  LAR_SCAN_SUM,   /* y_i = y_(i-1) + x_i */
  LAR_SCAN_PROD,  /* y_i = y_(i-1) x_i */
  LAR_SCAN_RECUR, /* y_i = a_i y_(i-1) + x_i */
} lar_scan_kind;

/* y, x and a (for RECUR only) of one dtype, float32, float64 or int64; y may be x. */
void lar_scan(lar_scan_kind kind, bool reverse, lar_dtype t, void *y, const void *x,
              const void *a, const int64_t sizes[3]);

enum { LAR_SCAN_PANEL = 32 }; /* columns that go side by side */

typedef struct lar_scan_job {
  lar_scan_kind kind;
  bool reverse;
  void *y;
  const void *x, *a;
  int64_t n, inner;
} lar_scan_job;

void lar_scan_rows_f32(void *job, int64_t begin, int64_t end);
void lar_scan_rows_f64(void *job, int64_t begin, int64_t end);
void lar_scan_rows_i64(void *job, int64_t begin, int64_t end);

#endif
