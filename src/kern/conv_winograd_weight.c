/* The derivative by the weight: the transposed of each step of kern/conv_winograd. */
#include <string.h>

#include "core/mem.h"
#include "core/par.h"
#include "core/real.h"
#include "kern/conv_winograd.h"

typedef struct job {
  const lar_conv *v;
  squares in, out;            /* of x, and of g: a block of its outputs */
  int64_t rows, shares, each; /* rows of squares at a time; shares of them, of so many rows */
  int64_t block, blocks;      /* outputs to a block */
  int64_t deep;               /* channels at a time, where a block's rows come at once */
  int64_t *off;
  real *sum; /* (shares, groups, blocks, POINTS, channels, block), a point_step each */
  const real *x, *g;
  real *w;
  lar_scratch scratch;
} job;

static int64_t sum_size(const job *j) { return POINTS * point_step(j->deep, j->block); }

/* The points of rows of squares from `row` on, and of their slopes: for a block of outputs. */
static void make_points(const job *j, int64_t group, int64_t block, int64_t row, int64_t rows,
                        real *scratch) {
  const lar_conv *v = j->v;
  int64_t count = j->rows * j->in.across, first = group * v->o + block * j->block;
  int64_t step = point_step(count, j->in.lanes), apart = point_step(count, j->block);
  real *slopes = scratch + POINTS * step, *turned = slopes + POINTS * apart;
  squares out = j->out;
  out.channels = min(j->block, v->o - block * j->block);
  LAR_R(lar_squares_make)
  (&j->in, j->x + group * v->c * v->size[0] * v->size[1], row, rows, turned, scratch, step);
  LAR_R(lar_squares_make)
  (&out, j->g + first * v->out[0] * v->out[1], row, rows, turned, slopes, apart);
}

/* What they add to the sums of `deep` channels from c on, or begin them with. */
static void add_rows(const job *j, int64_t rows, int64_t c, bool add, const real *points,
                     real *sum) {
  int64_t count = j->rows * j->in.across, step = point_step(count, j->in.lanes);
  for (int k = 0; k < POINTS; k++) {
    product p = {.k = min(j->deep, j->v->c - c),
                 .o = j->block,
                 .off = j->off,
                 .x = points + k * step + c,
                 .g = points + POINTS * step + k * point_step(count, j->block),
                 .step = j->in.lanes,
                 .pitch = j->block,
                 .rows = 1,
                 .cols = rows * j->in.across,
                 .sum = sum + k * point_step(j->deep, j->block),
                 .add = add};
    LAR_R(lar_conv_product)(&p);
  }
}

/* Kernels of a register of outputs, `from` on in their block, and `deep` channels from c on,
 * from the sum of all shares in their order; one more share's sums are at `sum`. */
static void gather(const job *j, int64_t group, int64_t block, int64_t from, int64_t c,
                   const real *sum) {
  const lar_conv *v = j->v;
  int64_t share = v->groups * j->blocks * sum_size(j), first = block * j->block + from;
  real *w = j->w + (group * v->o + first) * v->c * 9;
  int64_t end = min(c + j->deep, v->c);
  for (sum += from; c < end; c += LANES) {
    real total[POINTS * LANES], taps[LANES * 9 * LANES];
    int64_t n = min(LANES, end - c);
    for (int64_t i = 0; i < n; i++, sum += j->block) {
      for (int64_t k = 0; k < POINTS; k++) {
        const real *part = sum + k * point_step(j->deep, j->block);
        vec z = vec_load(part);
        for (int64_t s = 1; s < j->shares; s++) z += vec_load(part + s * share);
        vec_store(total + k * LANES, z);
      }
      LAR_R(lar_kernel_back)(total, LANES, taps + i * 9 * LANES);
    }
    LAR_R(lar_conv_unturn)
    (9 * n, min(LANES, v->o - first), taps, LANES, 9 * v->c, w + 9 * c);
  }
}

/* The sums of a share of a block, at `sum`. */
static void sum_share(const job *j, int64_t group, int64_t block, int64_t row, int64_t last,
                      real *sum, real *scratch) {
  for (bool add = false; row < last; row += j->rows, add = true) {
    int64_t rows = min(j->rows, last - row);
    make_points(j, group, block, row, rows, scratch);
    add_rows(j, rows, 0, add, scratch, sum);
  }
}

/* One share alone is a block's kernels: all channels, or, of rows that come at once, some at a
 * time, whose sums then stay in the second cache. */
static void make_block(const job *j, int64_t group, int64_t block, real *scratch) {
  int64_t all = j->v->n * j->in.down;
  real *points = scratch + sum_size(j);
  if (j->deep < j->v->c)
    make_points(j, group, block, 0, all, points);
  else
    sum_share(j, group, block, 0, all, scratch, points);
  for (int64_t c = 0; c < j->v->c; c += j->deep) {
    if (j->deep < j->v->c) add_rows(j, all, c, false, points, scratch);
    for (int64_t from = 0; from < j->block; from += LANES)
      gather(j, group, block, from, c, scratch);
  }
}

static void sum_body(void *ctx, int64_t begin, int64_t end) {
  job *j = ctx;
  const lar_conv *v = j->v;
  int slot;
  real *scratch = lar_scratch_take(&j->scratch, &slot);
  for (int64_t at = begin; at < end; at++) {
    int64_t block = at % j->blocks, group = at / j->blocks % v->groups;
    int64_t row = at / j->blocks / v->groups * j->each;
    if (j->shares == 1)
      make_block(j, group, block, scratch);
    else
      sum_share(j, group, block, row, min(row + j->each, v->n * j->in.down),
                j->sum + at * sum_size(j), scratch);
  }
  lar_scratch_give(&j->scratch, slot);
}

static void gather_body(void *ctx, int64_t begin, int64_t end) {
  const job *j = ctx;
  int64_t many = j->block / LANES;
  for (int64_t at = begin; at < end; at++)
    gather(j, at / many / j->blocks, at / many % j->blocks, at % many * LANES, 0,
           j->sum + at / many * sum_size(j));
}

static squares cut_squares(const lar_conv *v, int64_t channels, bool slopes) {
  squares s = {.channels = channels, .lanes = lanes_of(channels), .slopes = slopes};
  const int64_t *size = slopes ? v->out : v->size;
  s.down = lar_ceil_div(v->out[0], SQUARE);
  s.across = lar_ceil_div(v->out[1], SQUARE);
  s.next = v->groups * (slopes ? v->o : v->c) * size[0] * size[1];
  for (int d = 0; d < 2; d++) s.size[d] = size[d], s.pad[d] = slopes ? 0 : v->pad[d];
  return s;
}

/* Shares of the batch, as long as their sums are small, where there are too few pieces for all
 * threads. */
static void cut(job *j) {
  enum { CACHED = 768 << 10, LEAST = 24, MOST = 64, SUMS = 16 << 20, DEEP = 4 * LANES };
  const lar_conv *v = j->v;
  j->deep = v->c;
  j->block = min(BLOCK, lanes_of(v->o));
  j->blocks = lar_ceil_div(v->o, j->block);
  j->in = cut_squares(v, v->c, false);
  j->out = cut_squares(v, j->block, true);
  int64_t total = v->n * j->in.down, pieces = v->groups * j->blocks;
  int64_t most = SUMS / (int64_t)sizeof(real) / (pieces * sum_size(j));
  j->shares = min(lar_ceil_div(LAR_CONV_PIECES, pieces), min(most, total));
  if (j->shares < 1) j->shares = 1;
  int64_t count = CACHED / (int64_t)sizeof(real) / (POINTS * (j->in.lanes + j->block));
  j->rows = LAR_R(lar_squares_rows)(&j->in, count < LEAST ? LEAST : min(count, MOST));
  j->each = lar_ceil_div(total, j->shares);
  j->rows = min(j->rows, j->each);
  j->shares = lar_ceil_div(total, j->each);
  if (j->shares == 1 && j->rows == total) j->deep = min(DEEP, v->c);
}

static int64_t slot_size(const job *j) {
  int64_t count = j->rows * j->in.across, a = LAR_R(lar_squares_scratch)(&j->in, j->rows);
  int64_t b = LAR_R(lar_squares_scratch)(&j->out, j->rows);
  return POINTS * (point_step(count, j->in.lanes) + point_step(count, j->block)) +
         (a > b ? a : b) + (j->shares == 1 ? sum_size(j) : 0);
}

lar_status LAR_R(lar_winograd_weight)(const lar_conv *v, void *w, const void *x,
                                      const void *g) {
  job j = {.v = v, .x = x, .g = g, .w = w};
  void *p = NULL;
  if (v->n == 0) {
    memset(w, 0, (size_t)(v->groups * v->o * v->c * 9) * sizeof(real));
    return LAR_OK;
  }
  cut(&j);
  int64_t pieces = j.shares * v->groups * j.blocks, sums = j.shares > 1 ? pieces : 0;
  lar_status st = lar_alloc_raw(
    &p, (size_t)v->c * sizeof(int64_t) + (size_t)(sums * sum_size(&j)) * sizeof(real), 1);
  if (st == LAR_OK) st = lar_scratch_init(&j.scratch, (size_t)slot_size(&j) * sizeof(real));
  if (st == LAR_OK) {
    j.off = p;
    void *rest = j.off + v->c;
    j.sum = rest;
    for (int64_t c = 0; c < v->c; c++) j.off[c] = c;
    int64_t work = POINTS * j.each * j.in.across * v->c * j.block;
    lar_conv_run(pieces, work, sum_body, &j);
    if (j.shares > 1)
      lar_par_for(v->groups * j.blocks * (j.block / LANES),
                  lar_conv_grain(j.shares * POINTS * LANES * v->c), gather_body, &j);
  }
  lar_scratch_clear(&j.scratch);
  lar_free(p);
  return st;
}
