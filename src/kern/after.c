#include "kern/after.h"

#include "core/real.h"
#include "kern/conv_vec.h"

/* Columns that fill a register: its b stays there on the way down the rows. */
ALWAYS void add_wide(const bool clips, int64_t m, real *y, int64_t apart, const real *b) {
  const vec more = vec_load(b);
  for (int64_t i = 0; i < m; i++, y += apart) {
    vec v = vec_load(y) + more;
    vec_store(y, clips ? vec_clip(v) : v);
  }
}

/* Some of those that do not, a constant number where it is called. */
ALWAYS void add_some(const int some, const bool clips, int64_t m, real *restrict y,
                     int64_t apart, const real *b) {
  real more[4];
  for (int k = 0; k < some; k++) more[k] = b[k];
  for (int64_t i = 0; i < m; i++, y += apart)
    for (int k = 0; k < some; k++) {
      real v = y[k] + more[k];
      y[k] = !clips || v > 0 ? v : v <= 0 ? 0 : v;
    }
}

ALWAYS void add(const bool clips, int64_t m, int64_t n, real *y, int64_t apart, const real *b) {
  int64_t j = 0;
  for (; j + LANES <= n; j += LANES) add_wide(clips, m, y + j, apart, b + j);
  for (; j + 4 <= n; j += 4) add_some(4, clips, m, y + j, apart, b + j);
  for (; j < n; j++) add_some(1, clips, m, y + j, apart, b + j);
}

static void keep(int64_t m, int64_t n, real *y, int64_t apart, const real *x, int64_t x_apart) {
  for (int64_t i = 0; i < m; i++, y += apart, x += x_apart) {
    int64_t j = 0;
    for (; j + LANES <= n; j += LANES) {
      vec stays = (vec)((vec_mask)(vec_load(x + j) > 0) & (vec_mask)vec_load(y + j));
      vec_store(y + j, stays);
    }
    for (; j < n; j++) y[j] = x[j] > 0 ? y[j] : 0;
  }
}

void LAR_R(lar_after_block)(const lar_after *a, int64_t row, int64_t column, int64_t m,
                            int64_t n, void *at, int64_t apart) {
  const real *bias = a->bias, *sign = a->sign;
  if (bias != NULL && a->clips)
    add(true, m, n, at, apart, bias + column);
  else if (bias != NULL)
    add(false, m, n, at, apart, bias + column);
  if (sign != NULL) keep(m, n, at, apart, sign + row * a->sign_apart + column, a->sign_apart);
}
