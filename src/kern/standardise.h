/*
 * kern/standardise - groups of a block to mean 0 and variance 1, and the derivative of that.
 *
 * Floor:    kern. x is a row-major block (outer, c, inner) of floats; group k is what has k in
 * the middle. Sums are in double, in the order of the elements.
 */
#ifndef LAR_KERN_STANDARDISE_H
#define LAR_KERN_STANDARDISE_H

#include "core/tensor.h"

typedef struct lar_standard {
  int64_t outer, c, inner;
  double eps;
  const void *x, *g; /* g: what flows back, for the derivative */
  void *y;           /* (x - mean) / sqrt(var + eps); read by the derivative */
  void *mean, *var;  /* c each, var the biased one; the derivative reads var */
  void *gx;          /* (g - mean(g) - y mean(g y)) / sqrt(var + eps) */
} lar_standard;

void lar_standardise(lar_dtype t, const lar_standard *job);
void lar_standardise_slope(lar_dtype t, const lar_standard *job);

/* Groups [begin, end) of them; the dtype is in the name. */
void lar_standardise_groups_f32(void *job, int64_t begin, int64_t end);
void lar_standardise_groups_f64(void *job, int64_t begin, int64_t end);
void lar_standardise_slope_groups_f32(void *job, int64_t begin, int64_t end);
void lar_standardise_slope_groups_f64(void *job, int64_t begin, int64_t end);

#endif
