#include "kern/gemv_loops.h"

#include "core/real.h"

enum { LANES = 32 / sizeof(real), BLOCK = 4 * LANES };

/* Dot products with the rows. */
void LAR_R(lar_gemv_rows)(int64_t m, int64_t k, void *yv, const void *av, int64_t step,
                          const void *xv) {
  real *y = yv;
  const real *a = av, *x = xv;
  for (int64_t i = 0; i < m; i++, a += step) {
    real lane[LANES] = {0}, rest = 0;
    int64_t p = 0;
    for (; p + LANES <= k; p += LANES)
      for (int l = 0; l < LANES; l++) lane[l] += a[p + l] * x[p + l];
    for (; p < k; p++) rest += a[p] * x[p];
    for (int w = LANES / 2; w > 0; w /= 2)
      for (int l = 0; l < w; l++) lane[l] += lane[l + w];
    y[i] = lane[0] + rest;
  }
}

/* n elements of every column, n <= BLOCK. */
static inline void block(int64_t n, int64_t k, real *restrict y, const real *a, int64_t step,
                         const real *x) {
  real sum[BLOCK] = {0};
  for (int64_t p = 0; p < k; p++, a += step)
    for (int64_t i = 0; i < n; i++) sum[i] += a[i] * x[p];
  for (int64_t i = 0; i < n; i++) y[i] = sum[i];
}

/* The columns added up. */
void LAR_R(lar_gemv_columns)(int64_t m, int64_t k, void *yv, const void *av, int64_t step,
                             const void *xv) {
  real *y = yv;
  const real *a = av, *x = xv;
  int64_t at = 0;
  for (; at + BLOCK <= m; at += BLOCK) block(BLOCK, k, y + at, a + at, step, x);
  for (; at + LANES <= m; at += LANES) block(LANES, k, y + at, a + at, step, x);
  for (; at < m; at++) block(1, k, y + at, a + at, step, x);
}
