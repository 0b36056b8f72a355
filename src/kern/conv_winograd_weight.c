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
  int64_t *off;
  real *sum; /* (shares, groups, blocks, POINTS, channels, block), a point_step each */
  const real *x, *g;
  real *w;
  lar_scratch scratch;
} job;

static int64_t sum_size(const job *j) { return POINTS * point_step(j->v->c, j->block); }

/* What rows of squares from `row` on add to the sums of a block. */
static void add_rows(const job *j, int64_t group, int64_t block, int64_t row, int64_t rows,
                     real *sum, real *scratch) {
  const lar_conv *v = j->v;
  int64_t count = j->rows * j->in.across, first = group * v->o + block * j->block;
  int64_t step = point_step(count, j->in.lanes), apart = point_step(count, j->block);
  real *points = scratch, *slopes = points + POINTS * step, *turned = slopes + POINTS * apart;
  squares out = j->out;
  out.channels = min(j->block, v->o - block * j->block);
  LAR_R(lar_squares_make)
  (&j->in, j->x + group * v->c * v->size[0] * v->size[1], row, rows, turned, points, step);
  LAR_R(lar_squares_make)
  (&out, j->g + first * v->out[0] * v->out[1], row, rows, turned, slopes, apart);
  for (int k = 0; k < POINTS; k++) {
    product p = {.k = v->c,
                 .o = j->block,
                 .off = j->off,
                 .x = points + k * step,
                 .g = slopes + k * apart,
                 .step = j->in.lanes,
                 .pitch = j->block,
                 .rows = 1,
                 .cols = rows * j->in.across,
                 .sum = sum + k * point_step(v->c, j->block),
                 .add = true};
    LAR_R(lar_conv_product)(&p);
  }
}

/* Kernels of a register of outputs, `from` on in their block, from the sum of all shares in
 * their order; one more share's sums are at `sum`. */
static void gather(const job *j, int64_t group, int64_t block, int64_t from, const real *sum) {
  const lar_conv *v = j->v;
  int64_t share = v->groups * j->blocks * sum_size(j), first = block * j->block + from;
  real *w = j->w + (group * v->o + first) * v->c * 9;
  for (int64_t c = 0; c < v->c; c++) {
    real total[POINTS * LANES], taps[9 * LANES];
    for (int64_t k = 0; k < POINTS; k++) {
      const real *part = sum + k * point_step(v->c, j->block) + c * j->block + from;
      vec z = vec_load(part);
      for (int64_t s = 1; s < j->shares; s++) z += vec_load(part + s * share);
      vec_store(total + k * LANES, z);
    }
    LAR_R(lar_kernel_back)(total, LANES, taps);
    for (int64_t i = 0; i < LANES && first + i < v->o; i++)
      for (int64_t t = 0; t < 9; t++) w[(i * v->c + c) * 9 + t] = taps[t * LANES + i];
  }
}

/* Where there is but one share, a block is done when its sums are. */
static void sum_body(void *ctx, int64_t begin, int64_t end) {
  job *j = ctx;
  const lar_conv *v = j->v;
  int slot;
  real *scratch = lar_scratch_take(&j->scratch, &slot);
  for (int64_t at = begin; at < end; at++) {
    int64_t block = at % j->blocks, group = at / j->blocks % v->groups;
    int64_t row = at / j->blocks / v->groups * j->each, last = row + j->each;
    bool alone = j->shares == 1;
    real *sum = alone ? scratch : j->sum + at * sum_size(j);
    memset(sum, 0, (size_t)sum_size(j) * sizeof(real));
    if (last > v->n * j->in.down) last = v->n * j->in.down;
    for (; row < last; row += j->rows)
      add_rows(j, group, block, row, min(j->rows, last - row), sum,
               scratch + (alone ? sum_size(j) : 0));
    for (int64_t from = 0; alone && from < j->block; from += LANES)
      gather(j, group, block, from, sum);
  }
  lar_scratch_give(&j->scratch, slot);
}

static void gather_body(void *ctx, int64_t begin, int64_t end) {
  const job *j = ctx;
  int64_t many = j->block / LANES;
  for (int64_t at = begin; at < end; at++)
    gather(j, at / many / j->blocks, at / many % j->blocks, at % many * LANES,
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
  enum { CACHED = 768 << 10, LEAST = 24, MOST = 64, SUMS = 16 << 20 };
  const lar_conv *v = j->v;
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
