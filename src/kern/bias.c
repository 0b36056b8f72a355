#include "kern/bias.h"

#include "core/real.h"

void LAR_R(lar_bias_add)(int64_t rows, int64_t n, void *yv, const void *bv) {
  real *restrict y = yv;
  const real *b = bv;
  for (int64_t i = 0; i < rows; i++, y += n)
    for (int64_t j = 0; j < n; j++) y[j] += b[j];
}
