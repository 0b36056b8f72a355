#include "kern/gemv_loops.h"

#include "core/real.h"

/* Whatever the layout, an element of y is added up in the same order: LANES sums of every
 * LANES-th product, joined in pairs, and then what is left at the end. */
enum { LANES = 32 / sizeof(real) };

static inline real dot(int64_t k, const real *a, int64_t columns, const real *x) {
  real lane[LANES] = {0}, rest = 0;
  int64_t p = 0;
  for (; p + LANES <= k; p += LANES)
    for (int l = 0; l < LANES; l++) lane[l] += a[(p + l) * columns] * x[p + l];
  for (; p < k; p++) rest += a[p * columns] * x[p];
  for (int half = LANES / 2; half > 0; half /= 2)
    for (int l = 0; l < half; l++) lane[l] += lane[l + half];
  return lane[0] + rest;
}

typedef real vector __attribute__((vector_size(32), aligned(sizeof(real)), may_alias));

/* LANES rows that stand side by side in every column. */
static inline void block(int64_t k, real *y, const real *a, int64_t columns, const real *x) {
  vector lane[LANES] = {{0}}, rest = {0};
  int64_t p = 0;
  for (; p + LANES <= k; p += LANES)
#pragma GCC unroll 8
    for (int l = 0; l < LANES; l++)
      lane[l] += *(const vector *)(a + (p + l) * columns) * x[p + l];
  for (; p < k; p++) rest += *(const vector *)(a + p * columns) * x[p];
#pragma GCC unroll 8
  for (int half = LANES / 2; half > 0; half /= 2)
#pragma GCC unroll 8
    for (int l = 0; l < half; l++) lane[l] += lane[l + half];
  *(vector *)y = lane[0] + rest;
}

/* n elements without gaps: where they are, or copied. */
static const real *pack(int64_t n, const void *from, int64_t step, real *packed) {
  const real *x = from;
  if (step == 1) return x;
  for (int64_t p = 0; p < n; p++) packed[p] = x[p * step];
  return packed;
}

void LAR_R(lar_gemv)(int64_t m, int64_t k, void *yv, const void *av, int64_t rows,
                     int64_t columns, const void *xv, int64_t step) {
  real packed[LAR_GEMV_MOST], *y = yv;
  const real *a = av, *x = pack(k, xv, step, packed);
  int64_t i = 0;
  if (columns == 1) {
    for (; i < m; i++) y[i] = dot(k, a + i * rows, 1, x);
    return;
  }
  for (; rows == 1 && i + LANES <= m; i += LANES) block(k, y + i, a + i, columns, x);
  for (; i < m; i++) y[i] = dot(k, a + i * rows, columns, x);
}

/* Some neighbouring columns, a constant number where it is called: their y stays in registers.
 */
static inline __attribute__((always_inline)) void outer(const int wide, int64_t m, int64_t n,
                                                        real *restrict c, const real *x,
                                                        int64_t xstep, const real *y) {
  real own[16];
  for (int j = 0; j < wide; j++) own[j] = y[j];
  for (int64_t i = 0; i < m; i++, c += n)
    for (int j = 0; j < wide; j++) c[j] = x[i * xstep] * own[j];
}

void LAR_R(lar_outer)(int64_t m, int64_t n, void *cv, const void *x, int64_t xstep,
                      const void *yv, int64_t ystep) {
  real packed[LAR_GEMV_MOST], *c = cv;
  const real *y = pack(n, yv, ystep, packed);
  int64_t j = 0;
  for (; j + 16 <= n; j += 16) outer(16, m, n, c + j, x, xstep, y + j);
  for (; j + 4 <= n; j += 4) outer(4, m, n, c + j, x, xstep, y + j);
  for (; j < n; j++) outer(1, m, n, c + j, x, xstep, y + j);
}
