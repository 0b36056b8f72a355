/*
 * io/column - what brings columns of numbers to a common scale.
 *
 * Floor:    io (may include: core).
 * Contract: x is contiguous, float32 or float64, seen as (n, p) whatever its dimensions:
 *           p = numel / n. NaN is a missing value: it counts for nothing and stays NaN. Sums
 *           are in double, in the order of the rows.
 */
#ifndef LAR_IO_COLUMN_H
#define LAR_IO_COLUMN_H

#include "core/tensor.h"

/* Mean and standard deviation (1/n) of each column into mean[p], std[p]. A column of one
 * value has that mean and std 1; one without values mean 0 and std 1, and *empty, from 0
 * (-1 when there is none), is the first of these. */
lar_status lar_column_moments(const lar_tensor *x, int64_t p, double *mean, double *std,
                              int64_t *empty);

/* out = (x - mean) / std, or back again: out = x * std + mean. out may be x. */
void lar_column_scale(const lar_tensor *out, const lar_tensor *x, int64_t p, const double *mean,
                      const double *std, bool back);

/* Missing values become their column's mean. */
void lar_column_fill(const lar_tensor *x, int64_t p, const double *mean);

#endif
