/* The derivative of a convolution by its weight: products of shifted planes with gradients. */
#include <string.h>

#include "core/mem.h"
#include "core/par.h"
#include "core/real.h"
#include "kern/conv_tile.h"
#include "kern/conv_work.h"

/* ---- pieces: some channels of a group by some samples ---- */

typedef struct job {
  const lar_conv *v;
  lar_planes planes;
  int64_t rows, lanes;                       /* rows at a time; outputs in whole registers */
  int64_t shares, samples, blocks, channels; /* shares of samples; blocks of channels */
  int64_t *off;
  real *sum; /* (shares, groups, terms, lanes) */
  lar_scratch scratch;
  const real *x, *g;
  real *w;
} job;

/* One sample's part in the sums of the channels from `channel` on. */
static void add_sample(const job *j, int64_t image, int64_t channel, product *p, real *planes) {
  const lar_conv *v = j->v;
  int64_t left = v->c - channel, channels = left < j->channels ? left : j->channels;
  real *turned = planes + lar_planes_count(&j->planes, j->channels) + LAR_PLANES_SLACK;
  const real *x = j->x + (image * v->c + channel) * v->size[0] * v->size[1];
  p->k = channels * v->kernel[0] * v->kernel[1];
  p->x = planes;
  p->g = turned;
  for (int64_t row = 0; row < v->out[0]; row += j->rows) {
    p->rows = v->out[0] - row < j->rows ? v->out[0] - row : j->rows;
    LAR_R(lar_planes_fill)(&j->planes, channels, row, x, planes);
    LAR_R(lar_conv_turn)
    (p->rows * v->out[1], v->o, j->g + (image * v->o * v->out[0] + row) * v->out[1],
     v->out[0] * v->out[1], j->lanes, turned);
    LAR_R(lar_conv_product)(p);
  }
}

static void sum_piece(const job *j, int64_t at, real *planes) {
  const lar_conv *v = j->v;
  int64_t channel = at % j->blocks * j->channels, group = at / j->blocks % v->groups;
  int64_t share = at / j->blocks / v->groups, taps = v->kernel[0] * v->kernel[1];
  int64_t first = share * j->samples, last = first + j->samples;
  int64_t terms = v->c * taps * j->lanes;
  product p = {.o = j->lanes,
               .off = j->off,
               .width = j->planes.width,
               .step = 1,
               .pitch = j->lanes,
               .cols = v->out[1],
               .add = true};
  p.sum = j->sum + (share * v->groups + group) * terms + channel * taps * j->lanes;
  int64_t count = v->c - channel < j->channels ? v->c - channel : j->channels;
  memset(p.sum, 0, (size_t)(count * taps * j->lanes) * sizeof(real));
  for (int64_t n = first; n < last && n < v->n; n++)
    add_sample(j, n * v->groups + group, channel, &p, planes);
}

static void sum_body(void *ctx, int64_t begin, int64_t end) {
  job *j = ctx;
  int slot;
  real *planes = lar_scratch_take(&j->scratch, &slot);
  for (int64_t at = begin; at < end; at++) sum_piece(j, at, planes);
  lar_scratch_give(&j->scratch, slot);
}

/* w[o, t] for all outputs of a group, from the sum of all shares in their order. */
static void gather(const job *j, int64_t at) {
  const lar_conv *v = j->v;
  int64_t k = v->c * v->kernel[0] * v->kernel[1], group = at / k, t = at % k;
  for (int64_t from = 0; from < v->o; from += LANES) {
    const real *part = j->sum + (group * k + t) * j->lanes + from;
    double total[LANES] = {0};
    for (int64_t s = 0; s < j->shares; s++, part += v->groups * k * j->lanes)
      for (int i = 0; i < LANES; i++) total[i] += (double)part[i];
    for (int64_t i = 0; i < LANES && from + i < v->o; i++)
      j->w[(group * v->o + from + i) * k + t] = (real)total[i];
  }
}

static void gather_body(void *ctx, int64_t begin, int64_t end) {
  for (int64_t at = begin; at < end; at++) gather(ctx, at);
}

/* Shares of the batch while their sums are small; beyond that, blocks of channels. */
static void cut(job *j) {
  enum { PIECES = 16, MOST = 8 << 20, CACHED = 32 << 10 };
  const lar_conv *v = j->v;
  int64_t bytes =
    v->groups * v->c * v->kernel[0] * v->kernel[1] * j->lanes * (int64_t)sizeof(real);
  int64_t most = MOST / bytes < PIECES ? MOST / bytes : PIECES;
  j->shares = v->n < most ? v->n : most;
  if (j->shares < 1) j->shares = 1;
  j->samples = lar_ceil_div(v->n, j->shares);
  int64_t want = lar_ceil_div(PIECES, j->shares * v->groups);
  j->channels = lar_ceil_div(v->c, want);
  j->blocks = lar_ceil_div(v->c, j->channels);
  int64_t row = v->out[1] * j->lanes * (int64_t)sizeof(real);
  j->rows = CACHED / row > 1 ? CACHED / row : 1;
  if (j->rows > v->out[0]) j->rows = v->out[0];
  lar_conv_planes(v, j->rows, &j->planes);
}

lar_status LAR_R(lar_conv_weight)(const lar_conv *v, void *w, const void *x, const void *g) {
  job j = {.v = v, .x = x, .g = g, .w = w};
  int64_t k = v->c * v->kernel[0] * v->kernel[1];
  void *p = NULL;
  j.lanes = lar_ceil_div(v->o, LANES) * LANES;
  cut(&j);
  int64_t sums = j.shares * v->groups * k * j.lanes;
  int64_t slot =
    lar_planes_count(&j.planes, j.channels) + LAR_PLANES_SLACK + j.rows * v->out[1] * j.lanes;
  lar_status st =
    lar_alloc_raw(&p, (size_t)sums * sizeof(real) + (size_t)k * sizeof(int64_t), 1);
  j.sum = p;
  if (st == LAR_OK) st = lar_scratch_init(&j.scratch, (size_t)slot * sizeof(real));
  if (st == LAR_OK) {
    p = j.sum + sums;
    j.off = p;
    lar_conv_offsets(v, &j.planes, j.channels, j.off);
    int64_t pieces = j.shares * v->groups * j.blocks;
    int64_t work = v->n * v->groups * k * j.lanes * v->out[0] * v->out[1];
    lar_par_for(pieces, lar_conv_grain(work / pieces), sum_body, &j);
    lar_par_for(v->groups * k, lar_conv_grain(j.shares * j.lanes), gather_body, &j);
  }
  lar_scratch_clear(&j.scratch);
  lar_free(j.sum);
  return st;
}
