/* The derivative by the weight: the transposed of each step of kern/conv_winograd. */
#include "kern/conv_winograd.h"

#include <string.h>

#include "core/mem.h"
#include "core/par.h"
#include "core/real.h"

typedef struct job {
  const lar_conv *v;
  squares s;
  int64_t lanes, shares, samples; /* outputs in whole registers; shares of the batch */
  int64_t *off;
  real *sum; /* (shares, groups, POINTS, channels, lanes) */
  const real *x, *g;
  real *w;
  lar_scratch scratch;
} job;

/* Rows of g's planes as (2 rows, 2 across, lanes), 0 where g has no such row, column or
 * output. */
static void turn(const job *j, int64_t row, const real *g, real *to) {
  const lar_conv *v = j->v;
  int64_t area = v->out[0] * v->out[1], columns = 2 * j->s.across;
  for (int64_t r = 0; r < 2 * j->s.rows; r++, to += columns * j->lanes) {
    int64_t at = 2 * row + r, n = at < v->out[0] ? v->out[1] : 0;
    LAR_R(lar_conv_turn)(n, v->o, g + at * v->out[1], area, j->lanes, to);
    memset(to + n * j->lanes, 0, (size_t)((columns - n) * j->lanes) * sizeof(real));
  }
}

/* A y A' of the square at y, whose rows lie `width` apart, for all outputs; points lie `step`
 * apart. */
static void transform(const real *y, int64_t width, int64_t lanes, real *to, int64_t step) {
  for (int64_t o = 0; o < lanes; o += LANES, y += LANES, to += LANES) {
    vec a = vec_load(y), b = vec_load(y + lanes), c = vec_load(y + width),
        d = vec_load(y + width + lanes);
    vec left[] = {a, a + c, a - c, -c}, right[] = {b, b + d, b - d, -d};
    for (int r = 0; r < 4; r++) {
      vec_store(to + (4 * r) * step, left[r]);
      vec_store(to + (4 * r + 1) * step, left[r] + right[r]);
      vec_store(to + (4 * r + 2) * step, left[r] - right[r]);
      vec_store(to + (4 * r + 3) * step, -right[r]);
    }
  }
}

/* One image's part in the sums, by rows of squares from `row` on. */
static void add_rows(const job *j, int64_t image, int64_t row, real *sum, real *scratch) {
  const lar_conv *v = j->v;
  int64_t count = j->s.rows * j->s.across, step = point_step(count * j->lanes);
  const real *x = j->x + image * v->c * v->size[0] * v->size[1];
  const real *g = j->g + image * v->o * v->out[0] * v->out[1];
  const real *points = LAR_R(lar_squares_make)(&j->s, v->c, row, x, scratch);
  real *turned = scratch + LAR_R(lar_squares_scratch)(&j->s, v->c);
  real *slopes = turned + 4 * count * j->lanes;
  turn(j, row, g, turned);
  for (int64_t r = 0; r < j->s.rows; r++)
    for (int64_t q = 0; q < j->s.across; q++)
      transform(turned + (r * 2 * j->s.across + q) * 2 * j->lanes, 2 * j->s.across * j->lanes,
                j->lanes, slopes + (r * j->s.across + q) * j->lanes, step);
  for (int k = 0; k < POINTS; k++) {
    product p = {.k = v->c,
                 .o = j->lanes,
                 .off = j->off,
                 .x = points + k * point_step(v->c * j->s.room),
                 .g = slopes + k * step,
                 .rows = 1,
                 .cols = count,
                 .sum = sum + k * v->c * j->lanes};
    LAR_R(lar_conv_product)(&p);
  }
}

static void sum_body(void *ctx, int64_t begin, int64_t end) {
  job *j = ctx;
  const lar_conv *v = j->v;
  int slot;
  int64_t size = POINTS * v->c * j->lanes;
  real *scratch = lar_scratch_take(&j->scratch, &slot);
  for (int64_t at = begin; at < end; at++) {
    int64_t group = at % v->groups, first = at / v->groups * j->samples;
    memset(j->sum + at * size, 0, (size_t)size * sizeof(real));
    for (int64_t n = first; n < first + j->samples && n < v->n; n++)
      for (int64_t row = 0; 2 * row < v->out[0]; row += j->s.rows)
        add_rows(j, n * v->groups + group, row, j->sum + at * size, scratch);
  }
  lar_scratch_give(&j->scratch, slot);
}

/* G' u G */
static void kernel_of(const double *u, real *w) {
  double half[3][4];
  for (int q = 0; q < 4; q++) {
    half[0][q] = u[q] + (u[4 + q] + u[8 + q]) / 2;
    half[1][q] = (u[4 + q] - u[8 + q]) / 2;
    half[2][q] = (u[4 + q] + u[8 + q]) / 2 + u[12 + q];
  }
  for (int r = 0; r < 3; r++, w += 3) {
    const double *h = half[r];
    w[0] = (real)(h[0] + (h[1] + h[2]) / 2);
    w[1] = (real)((h[1] - h[2]) / 2);
    w[2] = (real)((h[1] + h[2]) / 2 + h[3]);
  }
}

/* All kernels of a channel, from the sum of all shares in their order. */
static void gather(const job *j, int64_t at) {
  const lar_conv *v = j->v;
  int64_t c = at % v->c, group = at / v->c, size = POINTS * v->c * j->lanes;
  for (int64_t from = 0; from < v->o; from += LANES) {
    double u[LANES][POINTS], sum[LANES];
    for (int k = 0; k < POINTS; k++) {
      const real *part = j->sum + group * size + (k * v->c + c) * j->lanes + from;
      for (int i = 0; i < LANES; i++) sum[i] = 0;
      for (int64_t s = 0; s < j->shares; s++, part += v->groups * size)
        for (int i = 0; i < LANES; i++) sum[i] += (double)part[i];
      for (int i = 0; i < LANES; i++) u[i][k] = sum[i];
    }
    for (int64_t i = 0; i < LANES && from + i < v->o; i++)
      kernel_of(u[i], j->w + 9 * ((group * v->o + from + i) * v->c + c));
  }
}

static void gather_body(void *ctx, int64_t begin, int64_t end) {
  for (int64_t at = begin; at < end; at++) gather(ctx, at);
}

lar_status LAR_R(lar_winograd_weight)(const lar_conv *v, void *w, const void *x,
                                      const void *g) {
  enum { PIECES = 16, MOST = 16 << 20, CACHED = 256 << 10 };
  job j = {.v = v, .x = x, .g = g, .w = w, .lanes = lar_ceil_div(v->o, LANES) * LANES};
  int64_t size = v->groups * POINTS * v->c * j.lanes, bytes = size * (int64_t)sizeof(real);
  if (bytes * PIECES > MOST) return LAR_R(lar_conv_weight)(v, w, x, g);
  j.shares = v->n < PIECES ? v->n > 0 ? v->n : 1 : PIECES;
  j.samples = lar_ceil_div(v->n, j.shares);
  int64_t row = lar_ceil_div(v->out[1], 2) * j.lanes * POINTS * (int64_t)sizeof(real);
  int64_t rows = lar_ceil_div(v->out[0], 2), fit = CACHED / row > 1 ? CACHED / row : 1;
  LAR_R(lar_squares_init)(&j.s, v, fit < rows ? fit : rows);
  int64_t count = j.s.rows * j.s.across * j.lanes;
  int64_t slot =
    LAR_R(lar_squares_scratch)(&j.s, v->c) + 4 * count + POINTS * point_step(count);
  void *p = NULL;
  lar_status st = lar_alloc_raw(
    &p, (size_t)v->c * sizeof(int64_t) + (size_t)(j.shares * size) * sizeof(real), 1);
  if (st == LAR_OK) st = lar_scratch_init(&j.scratch, (size_t)slot * sizeof(real));
  if (st == LAR_OK) {
    j.off = p;
    void *rest = j.off + v->c;
    j.sum = rest;
    for (int64_t c = 0; c < v->c; c++) j.off[c] = c * j.s.room;
    lar_par_for(j.shares * v->groups, 1, sum_body, &j);
    lar_par_for(v->groups * v->c, 1, gather_body, &j);
  }
  lar_scratch_clear(&j.scratch);
  lar_free(p);
  return st;
}
