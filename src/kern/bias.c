#include "kern/bias.h"

#include "core/real.h"

/* Some neighbouring columns, a constant number where it is called: their b stays in registers
 * while it goes down the rows, which may be many and short. */
static inline __attribute__((always_inline)) void some(const int wide, int64_t rows, int64_t n,
                                                       real *restrict y, const real *b) {
  real add[16];
  for (int k = 0; k < wide; k++) add[k] = b[k];
  for (int64_t i = 0; i < rows; i++, y += n)
    for (int k = 0; k < wide; k++) y[k] += add[k];
}

void LAR_R(lar_bias_add)(int64_t rows, int64_t n, void *yv, const void *bv) {
  real *y = yv;
  const real *b = bv;
  int64_t j = 0;
  for (; j + 16 <= n; j += 16) some(16, rows, n, y + j, b + j);
  for (; j + 4 <= n; j += 4) some(4, rows, n, y + j, b + j);
  for (; j < n; j++) some(1, rows, n, y + j, b + j);
}
