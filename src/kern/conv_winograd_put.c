/* Squares of kern/conv_winograd to the images that they make. */
#include <string.h>

#include "core/real.h"
#include "kern/conv_winograd.h"
#include "kern/pool_quad.h"

/* ---- the largest of each window of 2 by 2 ---- */

enum { WINDOWS = SQUARE / 2 }; /* to an edge of a square */

/* Of one window of a square, and its code. */
ALWAYS void put_window(const real *y, real *to, real *code) {
  quad x = {vec_load(y), vec_load(y + LANES), vec_load(y + SQUARE * LANES),
            vec_load(y + (SQUARE + 1) * LANES)};
  quad_top t = quad_find(&x);
  vec_store(to, t.value);
  vec_store(code, quad_code(&t));
}

/* As lar_squares_put, with rows and columns of windows. Codes are turned as numbers. */
static void put_windows(const put *p, const real *sums, int64_t row, int64_t n, real *y) {
  const lar_conv *v = p->v;
  int64_t out[2] = {v->out[0] / 2, v->out[1] / 2}, area = out[0] * out[1];
  int64_t first = WINDOWS * row, rows = min(WINDOWS * n, out[0] - first);
  int64_t places = rows * out[1], at = p->first * area + first * out[1];
  real *code = p->scratch + places * p->width, *planes = code + places * p->width;
  if (places <= 0) return;
  for (int64_t r = 0; r < n; r++)
    for (int64_t q = 0; q < p->s->across; q++, sums += p->width)
      for (int64_t o = 0; o < p->width; o += LANES) {
        real square[SQUARE * SQUARE * LANES];
        LAR_R(lar_square_back)(sums + o, p->step, p->bias + o, v->clip, square);
        for (int64_t a = 0; a < WINDOWS && WINDOWS * r + a < rows; a++)
          for (int64_t b = 0; b < WINDOWS && WINDOWS * q + b < out[1]; b++) {
            int64_t k = ((WINDOWS * r + a) * out[1] + WINDOWS * q + b) * p->width + o;
            put_window(square + 2 * (a * SQUARE + b) * LANES, p->scratch + k, code + k);
          }
      }
  LAR_R(lar_conv_unturn)(places, p->outputs, p->scratch, p->width, area, y + at);
  if (v->code == NULL) return;
  LAR_R(lar_conv_unturn)(places, p->outputs, code, p->width, places, planes);
  for (int64_t o = 0; o < p->outputs; o++)
    for (int64_t k = 0; k < places; k++)
      v->code[at + o * area + k] = (unsigned char)planes[o * places + k];
}

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
  int64_t area = p->v->out[0] * p->v->out[1], at = p->first * area + from;
  LAR_R(lar_conv_unturn)(n, p->outputs, p->scratch, p->width, area, y + at);
  if (p->v->sign == NULL) return;
  for (int64_t o = 0; o < p->outputs; o++, at += area)
    LAR_R(lar_conv_sign)(n, y + at, (const real *)p->v->sign + at);
}

void LAR_R(lar_squares_put)(const put *p, const real *sums, int64_t row, int64_t n, real *y) {
  const lar_conv *v = p->v;
  const int64_t *out = v->out, line = out[1] * p->width, first = SQUARE * row;
  if (v->pool) {
    put_windows(p, sums, row, n, y);
    return;
  }
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
