/* Padded planes from images: the typed loops of kern/conv_work. */
#include <string.h>

#include "core/real.h"
#include "kern/conv_work.h"

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
