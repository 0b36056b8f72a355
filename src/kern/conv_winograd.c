#include "kern/conv_winograd.h"

#include <string.h>

#include "core/mem.h"
#include "core/par.h"
#include "core/real.h"

/* ---- squares of the input ---- */

void LAR_R(lar_squares_init)(squares *s, const lar_conv *v, int64_t rows) {
  *s = (squares){.rows = rows, .across = lar_ceil_div(v->out[1], 2)};
  s->room = (lar_ceil_div(rows * s->across, LANES) + 1) * LANES;
  for (int d = 0; d < 2; d++) {
    s->planes.size[d] = v->size[d];
    s->planes.pad[d] = v->pad[d];
    s->planes.stride[d] = s->planes.gap[d] = s->planes.phases[d] = 1;
  }
  s->planes.rows = 2 * rows + 2;
  s->planes.width = 2 * s->across + 2;
}

int64_t LAR_R(lar_squares_scratch)(const squares *s, int64_t channels) {
  return lar_planes_count(&s->planes, channels) + LAR_PLANES_SLACK +
         POINTS * point_step(channels * s->room);
}

/* B' d B for LANES squares of a row: x is the first of four rows `width` apart, points lie
 * `step` apart. */
static void transform(const real *x, int64_t width, real *to, int64_t step) {
  vec row[4][4]; /* elements 0 to 3 of the rows of each square */
  for (int r = 0; r < 4; r++, x += width) {
    vec a = vec_load(x), b = vec_load(x + LANES), c = vec_load(x + 2),
        d = vec_load(x + 2 + LANES);
    row[r][0] = vec_even(a, b), row[r][1] = vec_odd(a, b);
    row[r][2] = vec_even(c, d), row[r][3] = vec_odd(c, d);
  }
  for (int r = 0; r < 4; r++) {
    vec z[4];
    for (int q = 0; q < 4; q++)
      z[q] = r == 0   ? row[0][q] - row[2][q]
             : r == 1 ? row[1][q] + row[2][q]
             : r == 2 ? row[2][q] - row[1][q]
                      : row[1][q] - row[3][q];
    vec_store(to, z[0] - z[2]), to += step;
    vec_store(to, z[1] + z[2]), to += step;
    vec_store(to, z[2] - z[1]), to += step;
    vec_store(to, z[1] - z[3]), to += step;
  }
}

real *LAR_R(lar_squares_make)(const squares *s, int64_t channels, int64_t row, const void *x,
                              real *scratch) {
  const lar_planes *p = &s->planes;
  real *points = scratch + lar_planes_count(p, channels) + LAR_PLANES_SLACK;
  LAR_R(lar_planes_fill)(p, channels, 2 * row, x, scratch);
  for (int64_t c = 0; c < channels; c++)
    for (int64_t r = 0; r < s->rows; r++)
      for (int64_t q = 0; q < s->across; q += LANES)
        transform(scratch + (c * p->rows + 2 * r) * p->width + 2 * q, p->width,
                  points + c * s->room + r * s->across + q, point_step(channels * s->room));
  return points;
}

/* ---- the kernel ---- */

/* G applied to three rows (or columns) of PANEL kernels at once. */
static void spread(const real *a, const real *b, const real *c, real *to, int64_t step) {
  for (int i = 0; i < PANEL; i++) {
    real sum = (a[i] + c[i]) / 2, half = b[i] / 2;
    to[i] = a[i];
    to[step + i] = sum + half;
    to[2 * step + i] = sum - half;
    to[3 * step + i] = c[i];
  }
}

/* G w G' of `m` kernels of 3 by 3, `next` apart, as (POINTS, PANEL); turned: turned over. */
static void transform_kernels(const real *w, int64_t m, int64_t next, bool turned, real *to) {
  real k[9][PANEL] = {{0}}, half[4][3][PANEL];
  for (int64_t i = 0; i < m; i++)
    for (int t = 0; t < 9; t++) k[t][i] = w[i * next + (turned ? 8 - t : t)];
  for (int q = 0; q < 3; q++) spread(k[q], k[3 + q], k[6 + q], half[0][q], 3 * PANEL);
  for (int r = 0; r < 4; r++)
    spread(half[r][0], half[r][1], half[r][2], to + 4 * r * PANEL, PANEL);
}

/* A panel of a group's kernels (o, c) from `from` on, point by point; turned: w is (c, o)
 * instead. */
static void pack(const lar_conv *v, const real *w, bool turned, int64_t from, real *u) {
  int64_t m = v->o - from < PANEL ? v->o - from : PANEL;
  int64_t next = 9 * (turned ? 1 : v->c), channel = 9 * (turned ? v->o : 1);
  u += from * v->c;
  for (int64_t c = 0; c < v->c; c++, u += m) {
    real points[POINTS * PANEL];
    transform_kernels(w + from * next + c * channel, m, next, turned, points);
    for (int k = 0; k < POINTS; k++)
      memcpy(u + k * v->o * v->c, points + k * PANEL, (size_t)m * sizeof(real));
  }
}

/* ---- pieces of output ---- */

typedef struct job {
  lar_conv v;
  squares s;
  int64_t pieces; /* to an image */
  int64_t *off;
  real *u, *y;
  const real *x, *bias, *w;
  bool turned;
  lar_scratch scratch;
} job;

static void pack_body(void *ctx, int64_t begin, int64_t end) {
  const job *j = ctx;
  const lar_conv *v = &j->v;
  int64_t panels = lar_ceil_div(v->o, PANEL);
  for (int64_t at = begin; at < end; at++) {
    int64_t group = at / panels;
    pack(v, j->w + group * v->o * v->c * 9, j->turned, at % panels * PANEL,
         j->u + group * POINTS * v->o * v->c);
  }
}

/* A' m A: LANES squares from points `step` apart, as two rows of 2 LANES outputs. */
static void transform_back(const real *m, int64_t step, vec bias, real *upper, real *lower) {
  vec z[2][4];
  for (int q = 0; q < 4; q++) {
    vec a = vec_load(m + q * step), b = vec_load(m + (4 + q) * step),
        c = vec_load(m + (8 + q) * step), d = vec_load(m + (12 + q) * step);
    z[0][q] = a + b + c;
    z[1][q] = b - c - d;
  }
  vec_zip(upper, z[0][0] + z[0][1] + z[0][2] + bias, z[0][1] - z[0][2] - z[0][3] + bias);
  vec_zip(lower, z[1][0] + z[1][1] + z[1][2] + bias, z[1][1] - z[1][2] - z[1][3] + bias);
}

/* Two rows of outputs of n squares from place p on, into the image y from row `row` on. */
static void put_rows(const job *j, real *y, int64_t row, int64_t p, int64_t n,
                     const real *upper, const real *lower) {
  const int64_t *out = j->v.out;
  int64_t r = p / j->s.across, q = p % j->s.across;
  for (; n > 0; r++, q = 0) {
    int64_t here = j->s.across - q < n ? j->s.across - q : n, at = 2 * (row + r);
    int64_t columns = 2 * (q + here) > out[1] ? out[1] - 2 * q : 2 * here;
    size_t bytes = (size_t)columns * sizeof(real);
    memcpy(y + at * out[1] + 2 * q, upper, bytes);
    if (at + 1 < out[0]) memcpy(y + (at + 1) * out[1] + 2 * q, lower, bytes);
    upper += 2 * here, lower += 2 * here, n -= here;
  }
}

/* Outputs from..from + m of n squares from place p on. */
static void make_squares(const job *j, const real *u, const real *points, const real *bias,
                         real *y, int64_t row, int64_t from, int64_t p, int64_t n) {
  real sums[POINTS][PANEL * TILE], upper[2 * TILE], lower[2 * TILE];
  const lar_conv *v = &j->v;
  int64_t m = v->o - from < PANEL ? v->o - from : PANEL, area = v->out[0] * v->out[1];
  for (int k = 0; k < POINTS; k++) LAR_R(lar_conv_tile)
  (m, n, v->c, u + (k * v->o + from) * v->c, j->off,
   points + k * point_step(v->c * j->s.room) + p, NULL, sums[k]);
  for (int64_t i = 0; i < m; i++) {
    vec b = vec_all(bias == NULL ? 0 : bias[from + i]);
    for (int64_t q = 0; q < n; q += LANES)
      transform_back(&sums[0][i * TILE + q], PANEL * TILE, b, upper + 2 * q, lower + 2 * q);
    put_rows(j, y + (from + i) * area, row, p, n, upper, lower);
  }
}

static void piece(const job *j, int64_t at, real *scratch) {
  const lar_conv *v = &j->v;
  int64_t row = at % j->pieces * j->s.rows, image = at / j->pieces, group = image % v->groups;
  int64_t rows = lar_ceil_div(v->out[0], 2) - row;
  int64_t places = (rows < j->s.rows ? rows : j->s.rows) * j->s.across;
  const real *x = j->x + image * v->c * v->size[0] * v->size[1];
  const real *u = j->u + group * POINTS * v->o * v->c;
  const real *bias = j->bias == NULL ? NULL : j->bias + group * v->o;
  real *y = j->y + image * v->o * v->out[0] * v->out[1];
  const real *points = LAR_R(lar_squares_make)(&j->s, v->c, row, x, scratch);
  for (int64_t p = 0; p < places; p += TILE)
    for (int64_t from = 0; from < v->o; from += PANEL)
      make_squares(j, u, points, bias, y, row, from, p, places - p < TILE ? places - p : TILE);
}

static void body(void *ctx, int64_t begin, int64_t end) {
  job *j = ctx;
  int slot;
  real *scratch = lar_scratch_take(&j->scratch, &slot);
  for (int64_t at = begin; at < end; at++) piece(j, at, scratch);
  lar_scratch_give(&j->scratch, slot);
}

static lar_status convolve(job *j) {
  const lar_conv *v = &j->v;
  int64_t rows = lar_ceil_div(v->out[0], 2), weights = v->groups * POINTS * v->o * v->c;
  int64_t bytes = (POINTS + 8) * v->c * lar_ceil_div(v->out[1], 2) * (int64_t)sizeof(real);
  int64_t each = lar_conv_rows(rows, bytes, v->n * v->groups);
  void *p = NULL;
  LAR_R(lar_squares_init)(&j->s, v, each);
  j->pieces = lar_ceil_div(rows, each);
  size_t size = (size_t)v->c * sizeof(int64_t) + (size_t)weights * sizeof(real);
  lar_status st = lar_alloc_raw(&p, size, 1);
  int64_t slot = LAR_R(lar_squares_scratch)(&j->s, v->c);
  if (st == LAR_OK) st = lar_scratch_init(&j->scratch, (size_t)slot * sizeof(real));
  if (st == LAR_OK) {
    j->off = p;
    void *rest = j->off + v->c;
    j->u = rest;
    for (int64_t c = 0; c < v->c; c++) j->off[c] = c * j->s.room;
    lar_par_for(v->groups * lar_ceil_div(v->o, PANEL), lar_conv_grain(64 * PANEL * v->c),
                pack_body, j);
    int64_t count = v->n * v->groups * j->pieces, work = each * j->s.across * v->c * v->o;
    lar_par_for(count, lar_conv_grain(POINTS * work), body, j);
  }
  lar_scratch_clear(&j->scratch);
  lar_free(p);
  return st;
}

lar_status LAR_R(lar_winograd_output)(const lar_conv *v, void *y, const void *x, const void *w,
                                      const void *bias) {
  job j = {.v = *v, .y = y, .x = x, .w = w, .bias = bias};
  return convolve(&j);
}

/* The adjoint is the convolution of g, padded by what is left of the kernel, with the kernel
 * turned over. */
lar_status LAR_R(lar_winograd_input)(const lar_conv *v, void *x, const void *g, const void *w) {
  job j = {.v = *v, .y = x, .x = g, .w = w, .turned = true};
  j.v.c = v->o, j.v.o = v->c;
  for (int d = 0; d < 2; d++) {
    j.v.size[d] = v->out[d], j.v.out[d] = v->size[d];
    j.v.pad[d] = 2 - v->pad[d];
  }
  return convolve(&j);
}
