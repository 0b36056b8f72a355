/* The transforms of kern/conv_winograd. */
#include <math.h>
#include <string.h>

#include "core/real.h"
#include "kern/conv_winograd.h"

/* ---- in one direction: elements `by` apart, results `to` apart ---- */

#ifdef LAR_REAL_F32

#define NEAR  ((real)M_SQRT1_2) /* the points, and their cubes */
#define FAR   ((real)M_SQRT2)
#define NEAR3 ((real)(M_SQRT1_2 / 2))
#define FAR3  ((real)(M_SQRT2 * 2))

ALWAYS void line_input(const vec *d, int by, vec *z, int to) {
  vec two = d[2 * by], four = d[4 * by], one = d[by], three = d[3 * by];
  vec even = four - 2 * two, odd = NEAR * (three - 2 * one);
  z[0] = d[0] - (real)2.5 * two + four;
  z[to] = even + odd;
  z[2 * to] = even - odd;
  even = four - (real)0.5 * two, odd = FAR * (three - (real)0.5 * one);
  z[3 * to] = even + odd;
  z[4 * to] = even - odd;
  z[5 * to] = one - (real)2.5 * three + d[5 * by];
}

ALWAYS void line_input_back(const vec *z, int by, vec *d, int to) {
  vec s1 = z[by] + z[2 * by], d1 = NEAR * (z[by] - z[2 * by]);
  vec s2 = z[3 * by] + z[4 * by], d2 = FAR * (z[3 * by] - z[4 * by]);
  d[0] = z[0];
  d[to] = z[5 * by] - 2 * d1 - (real)0.5 * d2;
  d[2 * to] = (real)-2.5 * z[0] - 2 * s1 - (real)0.5 * s2;
  d[3 * to] = d1 + d2 - (real)2.5 * z[5 * by];
  d[4 * to] = z[0] + s1 + s2;
  d[5 * to] = z[5 * by];
}

ALWAYS void line_output(const vec *m, int by, vec *y, int to) {
  vec s1 = m[by] + m[2 * by], d1 = m[by] - m[2 * by];
  vec s2 = m[3 * by] + m[4 * by], d2 = m[3 * by] - m[4 * by];
  y[0] = m[0] + s1 + s2;
  y[to] = NEAR * d1 + FAR * d2;
  y[2 * to] = (real)0.5 * s1 + 2 * s2;
  y[3 * to] = NEAR3 * d1 + FAR3 * d2 + m[5 * by];
}

ALWAYS void line_slopes(const vec *y, int by, vec *v, int to) {
  vec even = y[0] + (real)0.5 * y[2 * by], odd = NEAR * y[by] + NEAR3 * y[3 * by];
  v[0] = y[0];
  v[to] = even + odd;
  v[2 * to] = even - odd;
  even = y[0] + 2 * y[2 * by], odd = FAR * y[by] + FAR3 * y[3 * by];
  v[3 * to] = even + odd;
  v[4 * to] = even - odd;
  v[5 * to] = y[3 * by];
}

ALWAYS void line_kernel(const vec *w, int by, vec *u, int to) {
  const real third = (real)1 / 3, sixth = (real)1 / 6;
  vec even = -2 * third * w[0] - third * w[2 * by], odd = -2 * third * NEAR * w[by];
  u[0] = w[0];
  u[to] = even + odd;
  u[2 * to] = even - odd;
  even = sixth * w[0] + third * w[2 * by], odd = sixth * FAR * w[by];
  u[3 * to] = even + odd;
  u[4 * to] = even - odd;
  u[5 * to] = w[2 * by];
}

ALWAYS void line_kernel_back(const vec *u, int by, vec *w, int to) {
  const real third = (real)1 / 3, sixth = (real)1 / 6;
  vec s1 = u[by] + u[2 * by], d1 = u[by] - u[2 * by];
  vec s2 = u[3 * by] + u[4 * by], d2 = u[3 * by] - u[4 * by];
  w[0] = u[0] - 2 * third * s1 + sixth * s2;
  w[to] = sixth * FAR * d2 - 2 * third * NEAR * d1;
  w[2 * to] = third * (s2 - s1) + u[5 * by];
}

#else

ALWAYS void line_input(const vec *d, int by, vec *z, int to) {
  z[0] = d[0] - d[2 * by];
  z[to] = d[by] + d[2 * by];
  z[2 * to] = d[2 * by] - d[by];
  z[3 * to] = d[3 * by] - d[by];
}

ALWAYS void line_input_back(const vec *z, int by, vec *d, int to) {
  d[0] = z[0];
  d[to] = z[by] - z[2 * by] - z[3 * by];
  d[2 * to] = z[by] + z[2 * by] - z[0];
  d[3 * to] = z[3 * by];
}

ALWAYS void line_output(const vec *m, int by, vec *y, int to) {
  y[0] = m[0] + m[by] + m[2 * by];
  y[to] = m[by] - m[2 * by] + m[3 * by];
}

ALWAYS void line_slopes(const vec *y, int by, vec *v, int to) {
  v[0] = y[0];
  v[to] = y[0] + y[by];
  v[2 * to] = y[0] - y[by];
  v[3 * to] = y[by];
}

ALWAYS void line_kernel(const vec *w, int by, vec *u, int to) {
  vec even = (w[0] + w[2 * by]) / 2, odd = w[by] / 2;
  u[0] = w[0];
  u[to] = even + odd;
  u[2 * to] = even - odd;
  u[3 * to] = w[2 * by];
}

ALWAYS void line_kernel_back(const vec *u, int by, vec *w, int to) {
  vec even = (u[by] + u[2 * by]) / 2;
  w[0] = u[0] + even;
  w[to] = (u[by] - u[2 * by]) / 2;
  w[2 * to] = even + u[3 * by];
}

#endif

/* ---- in both: a square of `from` by `from` registers to one of `to` by `to` ---- */

#define BOTH(name, line, from, to)                                                             \
  ALWAYS void name(const real *x, int64_t row, int64_t column, vec z[(to) * (to)]) {           \
    vec a[(from) * (from)], b[(to) * (from)];                                                  \
    for (int r = 0; r < (from); r++)                                                           \
      for (int q = 0; q < (from); q++) a[r * (from) + q] = vec_load(x + r * row + q * column); \
    for (int q = 0; q < (from); q++) line(a + q, from, b + q, from);                           \
    for (int r = 0; r < (to); r++) line(b + r * (from), 1, z + r * (to), 1);                   \
  }
BOTH(both_input, line_input, EDGE, EDGE)
BOTH(both_input_back, line_input_back, EDGE, EDGE)
BOTH(both_slopes, line_slopes, SQUARE, EDGE)
BOTH(both_output, line_output, EDGE, SQUARE)
BOTH(both_kernel, line_kernel, 3, EDGE)
BOTH(both_kernel_back, line_kernel_back, EDGE, 3)

void LAR_R(lar_kernel_points)(const real *w, real *to, int64_t step) {
  vec z[POINTS];
  both_kernel(w, 3 * LANES, LANES, z);
  for (int k = 0; k < POINTS; k++) vec_store(to + k * step, z[k]);
}

void LAR_R(lar_kernel_back)(const real *u, int64_t step, real *w) {
  vec z[9];
  both_kernel_back(u, EDGE * step, step, z);
  for (int k = 0; k < 9; k++) vec_store(w + k * LANES, z[k]);
}

void LAR_R(lar_square_back)(const real *m, int64_t step, const real *bias, bool clip, real *y) {
  vec z[SQUARE * SQUARE], b = vec_load(bias);
  both_output(m, EDGE * step, step, z);
  for (int k = 0; k < SQUARE * SQUARE; k++) {
    vec v = z[k] + b;
    vec_store(y + k * LANES, clip ? vec_clip(v) : v);
  }
}

void LAR_R(lar_square_add)(const real *m, int64_t step, const int64_t from[2],
                           const int64_t end[2], int64_t row, int64_t column, real *y) {
  vec z[POINTS];
  both_input_back(m, EDGE * step, step, z);
  for (int64_t r = from[0]; r < end[0]; r++)
    for (int64_t q = from[1]; q < end[1]; q++) {
      real *to = y + r * row + q * column;
      vec_store(to, vec_load(to) + z[r * EDGE + q]);
    }
}

/* ---- images ---- */

int64_t LAR_R(lar_squares_rows)(const squares *s, int64_t count) {
  int64_t rows = count / s->across;
  if (rows > s->down) rows -= rows % s->down;
  return rows > 1 ? rows : 1;
}

/* Rows of an image that `rows` rows of squares take. */
static int64_t taken(const squares *s, int64_t rows) {
  int64_t most = SQUARE * (rows < s->down ? rows : s->down) + (s->slopes ? 0 : 2);
  return most < s->size[0] ? most : s->size[0];
}

int64_t LAR_R(lar_squares_scratch)(const squares *s, int64_t rows) {
  return taken(s, rows) * s->size[1] * s->lanes;
}

/* Rows of one image with its channels side by side, (rows, columns, lanes). */
typedef struct strip {
  const squares *s;
  const real *at;
  int64_t row, end; /* rows of the image */
} strip;

/* A square whose first element is (r, q) of the image; `edge` a constant where it is called.
 * What is not in the strip counts as 0. */
ALWAYS void take(const strip *p, int edge, int64_t r, int64_t q, real *to, int64_t step) {
  const squares *s = p->s;
  const int64_t column = s->lanes, row = s->size[1] * column;
  const real *x = p->at + (r - p->row) * row + q * column;
  bool whole = r >= p->row && r + edge <= p->end && q >= 0 && q + edge <= s->size[1];
  for (int64_t c = 0; c < s->lanes; c += LANES, x += LANES, to += LANES) {
    vec z[POINTS];
    if (whole) {
      if (edge == EDGE)
        both_input(x, row, column, z);
      else
        both_slopes(x, row, column, z);
    } else {
      real part[POINTS * LANES];
      for (int i = 0; i < edge; i++)
        for (int k = 0; k < edge; k++) {
          bool there = r + i >= p->row && r + i < p->end && q + k >= 0 && q + k < s->size[1];
          vec_store(part + (i * edge + k) * LANES,
                    there ? vec_load(x + i * row + k * column) : (vec){0});
        }
      if (edge == EDGE)
        both_input(part, EDGE * LANES, LANES, z);
      else
        both_slopes(part, SQUARE * LANES, LANES, z);
    }
    for (int k = 0; k < POINTS; k++) vec_store(to + k * step, z[k]);
  }
}

void LAR_R(lar_squares_make)(const squares *s, const real *x, int64_t row, int64_t rows,
                             real *scratch, real *points, int64_t step) {
  int64_t area = s->size[0] * s->size[1];
  while (rows > 0) {
    int64_t image = row / s->down, r = row % s->down;
    int64_t n = s->down - r < rows ? s->down - r : rows;
    strip p = {s, scratch, SQUARE * r - s->pad[0], 0};
    p.end = p.row + SQUARE * n + (s->slopes ? 0 : 2);
    if (p.row < 0) p.row = 0;
    if (p.end > s->size[0]) p.end = s->size[0];
    if (p.row < p.end) LAR_R(lar_conv_turn)
    ((p.end - p.row) * s->size[1], s->channels, x + image * s->next + p.row * s->size[1], area,
     s->lanes, scratch);
    for (int64_t i = r; i < r + n; i++)
      for (int64_t k = 0; k < s->across; k++, points += s->lanes)
        if (s->slopes)
          take(&p, SQUARE, SQUARE * i - s->pad[0], SQUARE * k - s->pad[1], points, step);
        else
          take(&p, EDGE, SQUARE * i - s->pad[0], SQUARE * k - s->pad[1], points, step);
    row += n, rows -= n;
  }
}
