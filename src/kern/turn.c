#include "kern/turn.h"

#include "core/real.h"
#include "kern/conv_vec.h"

ALWAYS void rest(int64_t row, int64_t rows, int64_t col, int64_t cols, real *dst, int64_t ldd,
                 const real *src, int64_t lds) {
  for (int64_t c = col; c < cols; c++)
    for (int64_t r = row; r < rows; r++) dst[c * ldd + r] = src[r * lds + c];
}

void LAR_R(lar_turn)(int64_t rows, int64_t cols, void *to, int64_t ldd, const void *from,
                     int64_t lds) {
  real *dst = to;
  const real *src = from;
  const int64_t r_whole = rows / LANES * LANES, c_whole = cols / LANES * LANES;
  for (int64_t c = 0; c < c_whole; c += LANES)
    for (int64_t r = 0; r < r_whole; r += LANES)
      vec_turn(src + r * lds + c, lds, dst + c * ldd + r, ldd);
  rest(r_whole, rows, 0, c_whole, dst, ldd, src, lds);
  rest(0, rows, c_whole, cols, dst, ldd, src, lds);
}
