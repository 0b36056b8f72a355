/* Padded planes from images: the typed loops of kern/conv_work. */
#include <string.h>

#include "core/real.h"
#include "kern/conv_vec.h"
#include "kern/conv_work.h"

/* Every second element from x[0] on, n of them, and none read beyond the last. */
static void every_second(int64_t n, const real *x, real *to) {
  vec_mask from;
  for (int k = 0; k < LANES; k++) from[k] = (vec_int)(2 * k + (k >= LANES / 2));
  for (int64_t q = 0; n >= LANES && q < n; q += LANES) {
    int64_t at = q + LANES <= n ? q : n - LANES;
    vec_store(to + at, vec_pick(vec_load(x + 2 * at), vec_load(x + 2 * at + LANES - 1), from));
  }
  for (int64_t q = 0; n < LANES && q < n; q++) to[q] = x[2 * q];
}

void LAR_R(lar_conv_sign)(int64_t n, real *x, const real *sign) {
  for (int64_t i = 0; i < n; i++) x[i] = sign[i] > 0 ? x[i] : 0;
}

/* One row of a plane: elements q of phase `phase`, or zeros outside the image's row. */
static void fill_row(const lar_planes *p, int64_t phase, const real *x, real *to) {
  int64_t s = p->stride[1], first = p->pad[1] - phase * p->gap[1];
  int64_t from = first > 0 ? lar_ceil_div(first, s) : 0, end = p->size[1] + first;
  end = end > 0 ? lar_ceil_div(end, s) : 0;
  if (end > p->width) end = p->width;
  if (from > end) from = end;
  for (int64_t q = 0; q < from; q++) to[q] = 0;
  if (s == 1 && end > from)
    memcpy(to + from, x + from - first, (size_t)(end - from) * sizeof(real));
  else if (s == 2)
    every_second(end - from, x + 2 * from - first, to + from);
  else
    for (int64_t q = from; q < end; q++) to[q] = x[q * s - first];
  for (int64_t q = end; q < p->width; q++) to[q] = 0;
}

void LAR_R(lar_planes_fill)(const lar_planes *p, int64_t channels, int64_t row, const void *x,
                            void *to) {
  const real *image = x;
  real *out = to;
  for (int64_t c = 0; c < channels; c++, image += p->size[0] * p->size[1])
    for (int64_t a = 0; a < p->phases[0]; a++)
      for (int64_t b = 0; b < p->phases[1]; b++)
        for (int64_t r = row; r < row + p->rows; r++, out += p->width) {
          int64_t i = r * p->stride[0] + a * p->gap[0] - p->pad[0];
          if (i >= 0 && i < p->size[0])
            fill_row(p, b, image + i * p->size[1], out);
          else
            memset(out, 0, (size_t)p->width * sizeof(real));
        }
  memset(out, 0, LAR_PLANES_SLACK * sizeof(real));
}
