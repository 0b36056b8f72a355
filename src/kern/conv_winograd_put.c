/* Squares of kern/conv_winograd to the images that they make. */
#include <string.h>

#include "core/real.h"
#include "kern/conv_winograd.h"

/* ---- as they are ---- */

/* What of a square lies in the image goes to `to`, (rows, columns, width). */
static void put_square(const real *y, int64_t rows, int64_t columns, int64_t row, int64_t width,
                       real *to) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t q = 0; q < columns; q++)
      vec_store(to + r * row + q * width, vec_load(y + (r * SQUARE + q) * LANES));
}

/* Places from `from` on of all planes, from where they lie side by side. */
static void unturn(const put *p, int64_t from, int64_t n, real *y) {
  int64_t area = p->v->out[0] * p->v->out[1];
  y += p->first * area + from;
  LAR_R(lar_conv_unturn)(n, p->outputs, p->scratch, p->width, area, y);
}

void LAR_R(lar_squares_put)(const put *p, const real *sums, int64_t row, int64_t n, real *y) {
  const lar_conv *v = p->v;
  const int64_t *out = v->out, line = out[1] * p->width, first = SQUARE * row;
  for (int64_t r = row; r < row + n; r++)
    for (int64_t q = 0; q < p->s->across; q++, sums += p->width) {
      int64_t i = SQUARE * r, k = SQUARE * q;
      real *to = p->scratch + (i - first) * line + k * p->width;
      for (int64_t o = 0; o < p->width; o += LANES) {
        real square[SQUARE * SQUARE * LANES];
        LAR_R(lar_square_back)(sums + o, p->step, p->bias + o, v->clip, square);
        put_square(square, min(SQUARE, out[0] - i), min(SQUARE, out[1] - k), line, p->width,
                   to + o);
      }
    }
  unturn(p, first * out[1], min(SQUARE * n, out[0] - first) * out[1], y);
}

/* ---- added up ---- */

/* What of EDGE elements from `at` on lies in the image. */
static void clip_square(int64_t at, int64_t size, int64_t *from, int64_t *end) {
  *from = at < 0 ? -at : 0;
  *end = size - at < EDGE ? size - at : EDGE;
}

/* In the order of the squares. */
void LAR_R(lar_squares_add)(const put *p, const real *sums, int64_t row, int64_t n, real *y) {
  const lar_conv *v = p->v;
  const int64_t *out = v->out, line = out[1] * p->width;
  memset(p->scratch, 0, (size_t)(out[0] * line) * sizeof(real));
  for (int64_t r = row; r < row + n; r++)
    for (int64_t q = 0; q < p->s->across; q++, sums += p->width) {
      int64_t i = SQUARE * r - v->pad[0], k = SQUARE * q - v->pad[1], from[2], end[2];
      clip_square(i, out[0], &from[0], &end[0]);
      clip_square(k, out[1], &from[1], &end[1]);
      for (int64_t o = 0; o < p->width; o += LANES) LAR_R(lar_square_add)
      (sums + o, p->step, from, end, line, p->width, p->scratch + i * line + k * p->width + o);
    }
  unturn(p, 0, out[0] * out[1], y);
}
