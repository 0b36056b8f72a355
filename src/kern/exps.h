/*
 * kern/exps - sums of exp(x - top) over rows, by vectors. Include core/vecmath.h first.
 *
 * Floor: kern, compiled for each dtype. Every element goes through a whole vector, so that its
 *        value does not depend on its place.
 */
#ifndef LAR_KERN_EXPS_H
#define LAR_KERN_EXPS_H

#include <string.h>
#include <tgmath.h>

#include "core/real.h"

/* So many columns go side by side; rows no longer than that are turned over, to be columns. */
enum { EXP_LANES = 16, EXP_PANEL = 64, EXP_SHORT = 32 };

/* How many of so many rows of n elements are best taken together, as columns. */
static inline int64_t exp_together(int64_t n, int64_t rows) {
  if (n > EXP_SHORT || rows < EXP_LANES) return 1;
  return rows < EXP_PANEL ? rows : EXP_PANEL;
}

/* The larger; a NaN stays. */
LAR_WIDE static inline real exp_larger(real a, real b) { return !(b <= a) & (a == a) ? b : a; }

/* Of n neighbours; a NaN among them is the result. */
LAR_WIDE static inline real exp_top(const real *x, int64_t n) {
  real lane[EXP_LANES], top = -(real)HUGE_VAL;
  int64_t i = 0, nans = 0;
  for (int k = 0; k < EXP_LANES; k++) lane[k] = top;
  for (; i + EXP_LANES <= n; i += EXP_LANES) {
#pragma omp simd
    for (int k = 0; k < EXP_LANES; k++) lane[k] = exp_larger(lane[k], x[i + k]);
  }
  for (int k = 0; k < n - i; k++) lane[k] = exp_larger(lane[k], x[i + k]);
#pragma omp simd reduction(max : top) reduction(| : nans)
  for (int k = 0; k < EXP_LANES; k++) {
    top = lane[k] > top ? lane[k] : top;
    nans |= lane[k] != lane[k];
  }
  return nans ? (real)NAN : top;
}

/* sum += e = exp(x - top) of EXP_LANES neighbours */
LAR_WIDE static inline void exp_add(double *restrict sum, real *restrict e,
                                    const real *restrict x, real top) {
#pragma omp simd
  for (int k = 0; k < EXP_LANES; k++) {
    e[k] = exp(x[k] - top);
    sum[k] += (double)e[k];
  }
}

/* The same of the first m; what fills up is 0, as an infinity would take the long way. */
LAR_WIDE static inline void exp_add_rest(double *restrict sum, real *restrict e,
                                         const real *restrict x, real top, int64_t m) {
  real z[EXP_LANES] = {0};
  for (int64_t k = 0; k < m; k++) z[k] = x[k] - top;
#pragma omp simd
  for (int k = 0; k < EXP_LANES; k++) e[k] = exp(z[k]);
  for (int64_t k = 0; k < m; k++) sum[k] += (double)e[k];
}

/* The sum of exp(x - top) of n neighbours, which go to y unless that is NULL. */
LAR_WIDE static inline double exp_sum(real *y, const real *x, int64_t n, real top) {
  double sum[EXP_LANES] = {0}, total = 0;
  real e[EXP_LANES];
  int64_t i = 0;
  for (; i + EXP_LANES <= n; i += EXP_LANES) {
    exp_add(sum, e, x + i, top);
    if (y != NULL) memcpy(y + i, e, sizeof e);
  }
  if (i < n) {
    exp_add_rest(sum, e, x + i, top, n - i);
    if (y != NULL) memcpy(y + i, e, (size_t)(n - i) * sizeof *y);
  }
#pragma omp simd reduction(+ : total)
  for (int k = 0; k < EXP_LANES; k++) total += sum[k];
  return total;
}

/* For each of m columns of n elements, `step` apart: the top, the sum of exp(x - top) and its
 * logarithm. The exponentials go to y, laid out like x, unless that is NULL. */
LAR_WIDE static inline void exp_columns(real *restrict top, double *restrict sum,
                                        double *restrict logs, real *y, const real *x,
                                        int64_t n, int64_t step, int64_t m) {
  real e[EXP_PANEL], z[EXP_PANEL];
  for (int k = 0; k < EXP_PANEL; k++) top[k] = -(real)HUGE_VAL, z[k] = 0, sum[k] = 0;
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < m; k++) top[k] = exp_larger(top[k], x[i * step + k]);
  for (int64_t i = 0; i < n; i++) {
    for (int64_t k = 0; k < m; k++) z[k] = x[i * step + k] - top[k];
#pragma omp simd
    for (int k = 0; k < EXP_PANEL; k++) {
      e[k] = exp(z[k]);
      sum[k] += (double)e[k];
    }
    if (y != NULL) memcpy(y + i * step, e, (size_t)m * sizeof *y);
  }
#pragma omp simd
  for (int k = 0; k < EXP_PANEL; k++) logs[k] = log(sum[k]);
}

#endif
