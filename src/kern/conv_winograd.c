/* Outputs of kern/conv_winograd, and the derivative by the input: in the same way, or, where
 * that takes fewer squares, by the transposed of each step. */
#include "kern/conv_winograd.h"

#include <string.h>

#include "core/mem.h"
#include "core/par.h"
#include "core/real.h"

typedef struct job {
  lar_conv v;
  squares s;
  int64_t rows;                 /* rows of squares to a piece */
  int64_t block, blocks, parts; /* outputs to a block; blocks of outputs, in parts */
  int64_t *off;
  bool alone;   /* one piece for all squares: it makes its kernels itself, some at a time */
  int64_t deep; /* their channels */
  real *u;      /* kernels (groups, blocks, POINTS, channels, width) */
  real *bias;   /* in whole registers */
  real *y;
  const real *x, *w;
  bool turned, back; /* kernels (c, o), not (o, c); squares of x, not of y */
  lar_scratch scratch;
} job;

/* A block's outputs in whole registers. */
static int64_t width_of(const job *j, int64_t block) {
  return lanes_of(min(j->block, j->v.o - block * j->block));
}

/* ---- kernels ---- */

/* A register of a group's kernels of n channels from c on, as (n, 9, LANES): rows far apart. */
static void take_kernels(const job *j, const real *w, int64_t from, int64_t c, int64_t n,
                         real *to) {
  const lar_conv *v = &j->v;
  LAR_R(lar_conv_turn)
  (9 * n, min(LANES, v->o - from), w + 9 * (from * v->c + c), 9 * v->c, LANES, to);
}

/* Those of the derivative are (c, o) instead, and turned over where it is a convolution. */
static void take_turned(const job *j, const real *w, int64_t from, int64_t c, int64_t n,
                        real *to) {
  const lar_conv *v = &j->v;
  int64_t count = min(LANES, v->o - from);
  for (int64_t end = c + n; c < end; c++)
    for (int t = 0; t < 9; t++, to += LANES) {
      const real *tap = w + 9 * (c * v->o + from) + (j->back ? t : 8 - t);
      for (int64_t i = 0; i < LANES; i++) to[i] = i < count ? tap[9 * i] : 0;
    }
}

/* Reals of a block's kernels. */
static int64_t block_size(const job *j) { return POINTS * point_step(j->deep, j->block); }

/* A register of a block's kernels, at u: outputs from `from` on, `deep` channels from c on. */
static void make_kernels(const job *j, int64_t group, int64_t block, int64_t from, int64_t c,
                         real *u) {
  const lar_conv *v = &j->v;
  int64_t width = width_of(j, block), step = point_step(j->deep, width);
  int64_t end = min(c + j->deep, v->c);
  const real *w = j->w + group * v->o * v->c * 9;
  for (u += from; c < end; c += LANES) {
    real taps[LANES * 9 * LANES];
    int64_t n = min(LANES, end - c);
    (j->turned ? take_turned : take_kernels)(j, w, block * j->block + from, c, n, taps);
    for (int64_t i = 0; i < n; i++, u += width)
      LAR_R(lar_kernel_points)(taps + i * 9 * LANES, u, step);
  }
}

static void kernel_body(void *ctx, int64_t begin, int64_t end) {
  const job *j = ctx;
  int64_t many = j->block / LANES;
  for (int64_t at = begin; at < end; at++) {
    int64_t block = at / many % j->blocks, from = at % many * LANES;
    if (from < width_of(j, block))
      make_kernels(j, at / many / j->blocks, block, from, 0, j->u + at / many * block_size(j));
  }
}

/* ---- pieces: some rows of squares by some blocks of outputs ---- */

/* Sums of a block of outputs over `deep` channels from c on, from the points of its inputs. */
static void add_channels(const job *j, int64_t width, int64_t rows, int64_t c,
                         const real *points, const real *u, real *sums) {
  int64_t step = point_step(j->rows * j->s.across, j->s.lanes);
  for (int k = 0; k < POINTS; k++) {
    product p = {.k = rows * j->s.across,
                 .o = width,
                 .off = j->off,
                 .x = points + k * step + c,
                 .g = u + k * point_step(j->deep, width),
                 .step = 1,
                 .pitch = width,
                 .rows = 1,
                 .cols = min(j->deep, j->v.c - c),
                 .sum = sums + k * point_step(j->rows * j->s.across, width),
                 .add = c > 0};
    LAR_R(lar_conv_product)(&p);
  }
}

/* A block of outputs of a group, from their sums. */
static void put_block(const job *j, int64_t group, int64_t block, int64_t row, int64_t rows,
                      const real *sums, real *turned) {
  const lar_conv *v = &j->v;
  int64_t many = lanes_of(v->o), width = width_of(j, block);
  put to = {.v = v,
            .s = &j->s,
            .outputs = min(j->block, v->o - block * j->block),
            .width = width,
            .step = point_step(j->rows * j->s.across, width),
            .bias = j->bias + group * many + block * j->block,
            .scratch = turned};
  while (rows > 0) {
    int64_t r = row % j->s.down, n = min(j->s.down - r, rows);
    to.first = (row / j->s.down * v->groups + group) * v->o + block * j->block;
    (j->back ? LAR_R(lar_squares_add) : LAR_R(lar_squares_put))(&to, sums, r, n, j->y);
    sums += n * j->s.across * width, row += n, rows -= n;
  }
}

/* In scratch: points, sums, kernels where the piece makes them, and images turned. */
static void piece(const job *j, int64_t at, real *scratch) {
  const lar_conv *v = &j->v;
  int64_t part = at % j->parts, group = at / j->parts % v->groups;
  int64_t row = at / j->parts / v->groups * j->rows,
          rows = min(j->rows, v->n * j->s.down - row);
  int64_t count = j->rows * j->s.across, step = point_step(count, j->s.lanes);
  real *sums = scratch + POINTS * step, *own = sums + POINTS * point_step(count, j->block);
  real *turned = own + (j->alone ? block_size(j) : 0);
  LAR_R(lar_squares_make)
  (&j->s, j->x + group * v->c * v->size[0] * v->size[1], row, rows, turned, scratch, step);
  for (int64_t b = part * j->blocks / j->parts; b < (part + 1) * j->blocks / j->parts; b++) {
    int64_t width = width_of(j, b);
    const real *u = j->alone ? own : j->u + (group * j->blocks + b) * block_size(j);
    for (int64_t c = 0; c < v->c; c += j->deep) {
      for (int64_t from = 0; j->alone && from < width; from += LANES)
        make_kernels(j, group, b, from, c, own);
      add_channels(j, width, rows, c, scratch, u, sums);
    }
    put_block(j, group, b, row, rows, sums, turned);
  }
}

static void body(void *ctx, int64_t begin, int64_t end) {
  job *j = ctx;
  int slot;
  real *scratch = lar_scratch_take(&j->scratch, &slot);
  for (int64_t at = begin; at < end; at++) piece(j, at, scratch);
  lar_scratch_give(&j->scratch, slot);
}

/* ---- the whole ---- */

/* Bytes of points and sums; squares at a time; channels at a time of one piece alone, whose
 * kernels then stay in the second cache. */
enum { CACHED = 768 << 10, LEAST = 32, MOST = 64, DEEP = 4 * LANES };

/* Squares of the image that is made, or, transposed, of the one that is read: those of whole
 * images, since they overlap where they are written. */
static void cut_squares(job *j) {
  lar_conv *v = &j->v;
  squares *s = &j->s;
  int64_t there[2], here[2];
  for (int d = 0; d < 2; d++) {
    there[d] = lar_ceil_div(v->out[d], SQUARE);
    here[d] = lar_ceil_div(v->size[d], SQUARE);
    s->size[d] = v->size[d];
  }
  j->back = j->turned && here[0] * here[1] < min(there[0] * there[1], MOST + 1);
  for (int d = 0; d < 2; d++) {
    if (j->back) v->pad[d] = 2 - v->pad[d];
    s->pad[d] = j->back ? 0 : v->pad[d];
  }
  s->slopes = j->back;
  s->down = j->back ? here[0] : there[0];
  s->across = j->back ? here[1] : there[1];
}

/* Squares enough that a kernel is read for many, and few enough that points and sums stay in
 * the second cache; parts where there are too few pieces for all threads. */
static void cut(job *j) {
  const lar_conv *v = &j->v;
  squares *s = &j->s;
  cut_squares(j);
  s->channels = v->c;
  s->lanes = lanes_of(v->c);
  s->next = v->groups * v->c * v->size[0] * v->size[1];
  j->block = min(BLOCK, lanes_of(v->o));
  int64_t count = CACHED / (int64_t)sizeof(real) / (POINTS * (s->lanes + j->block));
  j->rows = LAR_R(lar_squares_rows)(s, count < LEAST ? LEAST : min(count, MOST));
  if (j->back && j->rows < s->down) j->rows = s->down;
  j->rows = min(j->rows, v->n * s->down);
  int64_t pieces = lar_ceil_div(v->n * s->down, j->rows) * v->groups;
  j->alone = pieces == v->groups;
  j->deep = j->alone ? min(DEEP, v->c) : v->c;
  while (j->block > 2 * LANES && pieces * lar_ceil_div(v->o, j->block) < LAR_CONV_PIECES)
    j->block = lanes_of(j->block / 2);
  j->blocks = lar_ceil_div(v->o, j->block);
  j->parts = min(j->blocks, lar_ceil_div(LAR_CONV_PIECES, pieces));
}

/* Reals of a slot of scratch; inputs and outputs are turned at different times. */
static int64_t slot_size(const job *j) {
  int64_t count = j->rows * j->s.across, width = j->block;
  int64_t in = LAR_R(lar_squares_scratch)(&j->s, j->rows);
  int64_t lines = j->back ? j->v.out[0] : SQUARE * min(j->rows, j->s.down);
  int64_t out = lines * j->v.out[1] * width;
  return POINTS * (point_step(count, j->s.lanes) + point_step(count, width)) +
         (j->alone ? block_size(j) : 0) + (in > out ? in : out);
}

static void run(job *j, const real *bias) {
  const lar_conv *v = &j->v;
  int64_t many = lanes_of(v->o), count = j->rows * j->s.across;
  for (int64_t t = 0; t < count; t++) j->off[t] = t * j->s.lanes;
  memset(j->bias, 0, (size_t)(v->groups * many) * sizeof(real));
  for (int64_t g = 0; bias != NULL && g < v->groups; g++)
    memcpy(j->bias + g * many, bias + g * v->o, (size_t)v->o * sizeof(real));
  if (!j->alone)
    lar_par_for(v->groups * j->blocks * (j->block / LANES), lar_conv_grain(64 * LANES * v->c),
                kernel_body, j);
  int64_t pieces = lar_ceil_div(v->n * j->s.down, j->rows) * v->groups * j->parts;
  lar_conv_run(pieces, POINTS * count * v->c * v->o / j->parts, body, j);
}

static lar_status convolve(job *j, const real *bias) {
  const lar_conv *v = &j->v;
  void *p = NULL;
  if (v->n == 0) return LAR_OK;
  cut(j);
  int64_t ints = j->rows * j->s.across, reals = v->groups * lanes_of(v->o);
  int64_t kernels = j->alone ? 0 : v->groups * j->blocks * block_size(j);
  lar_status st = lar_alloc_raw(
    &p, (size_t)ints * sizeof(int64_t) + (size_t)(kernels + reals) * sizeof(real), 1);
  if (st == LAR_OK) st = lar_scratch_init(&j->scratch, (size_t)slot_size(j) * sizeof(real));
  if (st == LAR_OK) {
    j->off = p;
    p = j->off + ints;
    j->u = p;
    j->bias = j->u + kernels;
    run(j, bias);
    p = j->off;
  }
  lar_scratch_clear(&j->scratch);
  lar_free(p);
  return st;
}

lar_status LAR_R(lar_winograd_output)(const lar_conv *v, void *y, const void *x, const void *w,
                                      const void *bias) {
  job j = {.v = *v, .y = y, .x = x, .w = w};
  return convolve(&j, bias);
}

/* The derivative is the convolution of g, padded by what is left of the kernel, with the kernel
 * turned over; transposed, the padding is that of x. */
lar_status LAR_R(lar_winograd_input)(const lar_conv *v, void *x, const void *g, const void *w) {
  job j = {.v = *v, .y = x, .x = g, .w = w, .turned = true};
  j.v.c = v->o, j.v.o = v->c;
  for (int d = 0; d < 2; d++) {
    j.v.size[d] = v->out[d], j.v.out[d] = v->size[d];
    j.v.pad[d] = 2 - v->pad[d];
  }
  return convolve(&j, NULL);
}
