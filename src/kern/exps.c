#include "core/vecmath.h" /* first */

#include "kern/exps.h"

#include <string.h>
#include <tgmath.h>

#include "core/real.h"

/* Rows of up to SHORT elements go several at a time, in ROOM for some whole blocks. */
enum { LANES = 16, BLOCK = 64, SHORT = BLOCK, ROOM = 8 * BLOCK };

/* In lanes; a NaN in any of them is the result. */
static real largest(const real *x, int64_t n) {
  real lane[LANES], top = -(real)HUGE_VAL;
  int nans[LANES] = {0};
  int64_t i = 0;
  for (int k = 0; k < LANES; k++) lane[k] = top;
  for (; i + LANES <= n; i += LANES)
    for (int k = 0; k < LANES; k++) {
      lane[k] = x[i + k] > lane[k] ? x[i + k] : lane[k];
      nans[k] |= x[i + k] != x[i + k];
    }
  for (; i < n; i++) {
    top = x[i] > top ? x[i] : top;
    nans[0] |= x[i] != x[i];
  }
  for (int k = 0; k < LANES; k++) {
    top = lane[k] > top ? lane[k] : top;
    if (nans[k]) return (real)NAN;
  }
  return top;
}

/* The same for few. */
static inline real largest_of_few(const real *x, int64_t n) {
  real top = x[0];
  int nans = 0;
  for (int64_t i = 0; i < n; i++) {
    top = x[i] > top ? x[i] : top;
    nans |= x[i] != x[i];
  }
  return nans ? (real)NAN : top;
}

/* Whole blocks, so that a value does not depend on its place. */
static inline LAR_WIDE void exp_block(real *z) {
#pragma omp simd
  for (int i = 0; i < BLOCK; i++) z[i] = exp(z[i]);
}

static double block_sum(const real *e) {
  double lane[LANES] = {0}, sum = 0;
  for (int i = 0; i < BLOCK; i += LANES)
    for (int k = 0; k < LANES; k++) lane[k] += (double)e[i + k];
  for (int k = 0; k < LANES; k++) sum += lane[k];
  return sum;
}

static LAR_WIDE double long_row(int64_t n, const real *x, real top, real *y) {
  real e[BLOCK];
  double sum = 0;
  for (int64_t at = 0; at < n; at += BLOCK) {
    int64_t m = n - at < BLOCK ? n - at : BLOCK;
    for (int64_t i = 0; i < BLOCK; i++) e[i] = i < m ? x[at + i] - top : -(real)HUGE_VAL;
    exp_block(e);
    sum += block_sum(e);
    if (y != NULL) memcpy(y + at, e, (size_t)m * sizeof *e);
  }
  return sum;
}

static LAR_WIDE void short_rows(int64_t rows, int64_t n, const real *x, real *top, double *sum,
                                real *y) {
  real e[ROOM];
  const int64_t all = rows * n;
  for (int64_t r = 0; r < rows; r++) {
    top[r] = largest_of_few(x + r * n, n);
    for (int64_t i = 0; i < n; i++) e[r * n + i] = x[r * n + i] - top[r];
  }
  for (int64_t i = all; i % BLOCK != 0; i++) e[i] = 0;
  for (int64_t at = 0; at < all; at += BLOCK) exp_block(e + at);
  for (int64_t r = 0; r < rows; r++) {
    sum[r] = 0;
    for (int64_t i = 0; i < n; i++) sum[r] += (double)e[r * n + i];
  }
  if (y != NULL) memcpy(y, e, (size_t)all * sizeof *e);
}

int64_t LAR_R(lar_exps)(int64_t rows, int64_t n, const void *x, void *largest_, double *sum,
                        void *y) {
  real *top = largest_;
  if (n > SHORT || n == 0) {
    top[0] = largest(x, n);
    sum[0] = long_row(n, x, top[0], y);
    return 1;
  }
  int64_t most = ROOM / n < LAR_EXPS_ROWS ? ROOM / n : LAR_EXPS_ROWS;
  if (rows > most) rows = most;
  short_rows(rows, n, x, top, sum, y);
  return rows;
}
