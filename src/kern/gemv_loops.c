#include "kern/gemv_loops.h"

#include "core/real.h"

enum { LANES = 32 / sizeof(real), BLOCK = 4 * LANES };

/* n rows, n <= BLOCK. Whatever the layout, an element is added up in the order of p. */
static inline void block(int64_t n, int64_t k, real *restrict y, const real *a, int64_t rows,
                         int64_t columns, const real *x) {
  real sum[BLOCK] = {0};
  for (int64_t p = 0; p < k; p++, a += columns)
    for (int64_t i = 0; i < n; i++) sum[i] += a[i * rows] * x[p];
  for (int64_t i = 0; i < n; i++) y[i] = sum[i];
}

static inline void product(int64_t m, int64_t k, real *restrict y, const real *a, int64_t rows,
                           int64_t columns, const real *x) {
  int64_t at = 0;
  for (; at + BLOCK <= m; at += BLOCK) block(BLOCK, k, y + at, a + at * rows, rows, columns, x);
  for (; at + LANES <= m; at += LANES) block(LANES, k, y + at, a + at * rows, rows, columns, x);
  for (; at < m; at++) block(1, k, y + at, a + at * rows, rows, columns, x);
}

void LAR_R(lar_gemv)(int64_t m, int64_t k, void *y, const void *a, int64_t rows,
                     int64_t columns, const void *xv, int64_t step) {
  real packed[LAR_GEMV_MOST];
  const real *x = xv;
  if (step != 1) {
    for (int64_t p = 0; p < k; p++) packed[p] = x[p * step];
    x = packed;
  }
  if (rows == 1)
    product(m, k, y, a, 1, columns, x);
  else if (columns == 1)
    product(m, k, y, a, rows, 1, x);
  else
    product(m, k, y, a, rows, columns, x);
}
