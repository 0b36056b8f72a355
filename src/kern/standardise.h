/*
 * kern/standardise - groups of a block to mean 0 and variance 1, and the derivative of that.
 *
 * Floor:    kern. x is a row-major block (outer, c, inner) of floats; group k is what has k in
 * the middle. Sums are in double. They are of what is left after taking the group's first
 * element away: that is at most sqrt(n) deviations from the mean, and so one pass gives both
 * mean and variance with all the digits that there are.
 */
#ifndef LAR_KERN_STANDARDISE_H
#define LAR_KERN_STANDARDISE_H

#include "core/tensor.h"

typedef struct lar_standard {
  int64_t outer, c, inner;
  int64_t per, count; /* with a gain: channels in a group, of count in all; else 1 and 0 */
  double eps;
  const void *x, *gain, *bias; /* gain and bias, count each, may be NULL together */
  void *y;                     /* r (x - mean) gain + bias, r = (var + eps)^-1/2 */
  void *mean, *var;            /* c each, var the biased one; the derivative reads them */
  const void *g;               /* what flows back, for the derivative; NULL otherwise */
  void *gx, *ggain, *gbias;    /* derivatives; where mean is NULL, x is r (x - mean) already */
  double *part;                /* own use: sums for each channel, (down, 2, count) */
  int64_t grain, down;
} lar_standard;

/* Forward where g is NULL, else the derivative. */
lar_status lar_standardise(lar_dtype t, const lar_standard *job);

/* Several rows of fewer neighbours than this are columns side by side, otherwise groups are
 * runs, one by one. */
enum { LAR_STANDARD_SHORT = 16, LAR_STANDARD_BLOCK = 512 };

/* Groups as columns: the matrix (outer, wide) in tiles of `rows` rows and `width` columns, at
 * most LAR_STANDARD_BLOCK and whole groups. A tile leaves two sums of each of its columns in
 * part, (across, down, 2, width); the other numbers are for each column. */
typedef struct lar_standard_tiles {
  const lar_standard *job;
  int64_t wide, width, rows, across, down;
  double *part;
  void *shift, *scale, *slope, *rest; /* rest: the bias, or the mean for the derivative */
} lar_standard_tiles;

/* `gains` joins parts; the others work on groups, tiles, blocks of columns and rows [begin,
 * end); the dtype is in the name. */
void lar_standard_runs_f32(void *job, int64_t begin, int64_t end);
void lar_standard_runs_f64(void *job, int64_t begin, int64_t end);
void lar_standard_gains_f32(const lar_standard *job);
void lar_standard_gains_f64(const lar_standard *job);
void lar_standard_sum_f32(void *tiles, int64_t begin, int64_t end);
void lar_standard_sum_f64(void *tiles, int64_t begin, int64_t end);
void lar_standard_join_f32(void *tiles, int64_t begin, int64_t end);
void lar_standard_join_f64(void *tiles, int64_t begin, int64_t end);
void lar_standard_write_f32(void *tiles, int64_t begin, int64_t end);
void lar_standard_write_f64(void *tiles, int64_t begin, int64_t end);

#endif
