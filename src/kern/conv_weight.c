/* The derivative of a convolution by its weight: products of shifted planes with gradients. */
#include <string.h>

#include "core/mem.h"
#include "core/par.h"
#include "core/real.h"
#include "kern/conv_tile.h"
#include "kern/conv_work.h"

/* ---- pieces: some channels of a group by some samples ---- */

enum { PLACE_TERMS = LAR_VEC_MANY ? 9 : 3 };

typedef struct job {
  const lar_conv *v;
  bool alone; /* groups of one output: lanes are places of it */
  lar_planes planes;
  int64_t rows, lanes;                       /* rows at a time; outputs in whole registers */
  int64_t shares, samples, blocks, channels; /* shares of samples; blocks of channels */
  int64_t *off;
  real *sum; /* (shares, groups, terms, lanes) */
  lar_scratch scratch;
  const real *x, *g;
  real *w;
} job;

/* One output alone would leave all lanes but one of a register empty. It takes them for places
 * instead: sum[t] += x[off[t] + r width + q] g[r, q] in lane q mod LANES. */
ALWAYS void add_places(int m, const product *p, int64_t first) {
  vec acc[PLACE_TERMS];
  const real *g = p->g, *x[PLACE_TERMS];
  const int64_t whole = p->cols / LANES * LANES;
  vec_mask tail;
  for (int i = 0; i < LANES; i++) tail[i] = i < p->cols - whole ? -1 : 0;
  for (int i = 0; i < m; i++) {
    acc[i] = vec_load(p->sum + (first + i) * LANES);
    x[i] = p->x + p->off[first + i];
  }
  for (int64_t r = 0; r < p->rows; r++, g += p->pitch)
    for (int64_t q = 0; q < p->cols; q += LANES) {
      vec_mask of = tail;
      if (q < whole) of = ~(vec_mask){0};
      vec y = vec_load(g + q);
      for (int i = 0; i < m; i++)
        acc[i] += (vec)(of & (vec_mask)vec_load(x[i] + r * p->width + q)) * y;
    }
  for (int i = 0; i < m; i++) vec_store(p->sum + (first + i) * LANES, acc[i]);
}

static void add_all_places(const product *p) {
  int64_t t = 0;
  for (; t + PLACE_TERMS <= p->k; t += PLACE_TERMS) add_places(PLACE_TERMS, p, t);
  for (; t < p->k; t++) add_places(1, p, t);
}

/* Rows of one output, each in whole registers, 0 where they end. */
static void copy_rows(const job *j, int64_t rows, const real *g, real *to) {
  int64_t n = j->v->out[1], pitch = lanes_of(n);
  for (int64_t r = 0; r < rows; r++, g += n, to += pitch) {
    memcpy(to, g, (size_t)n * sizeof(real));
    memset(to + n, 0, (size_t)(pitch - n) * sizeof(real));
  }
}

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
    const real *g = j->g + (image * v->o * v->out[0] + row) * v->out[1];
    if (j->alone) {
      copy_rows(j, p->rows, g, turned);
      add_all_places(p);
    } else {
      LAR_R(lar_conv_turn)
      (p->rows * v->out[1], v->o, g, v->out[0] * v->out[1], j->lanes, turned);
      LAR_R(lar_conv_product)(p);
    }
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
               .pitch = j->alone ? lanes_of(v->out[1]) : j->lanes,
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
    for (int i = 1; j->alone && i < LANES; i++) total[0] += total[i];
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
  int64_t at_once = j->lanes < 4 * LANES ? j->lanes : 4 * LANES; /* of a product's tile */
  int64_t row = j->alone ? lanes_of(v->out[1]) : v->out[1] * at_once;
  row *= (int64_t)sizeof(real);
  j->rows = CACHED / row > 1 ? CACHED / row : 1;
  if (j->rows > v->out[0]) j->rows = v->out[0];
  lar_conv_planes(v, j->rows, &j->planes);
}

lar_status LAR_R(lar_conv_weight)(const lar_conv *v, void *w, const void *x, const void *g) {
  job j = {.v = v, .x = x, .g = g, .w = w, .alone = v->o == 1};
  int64_t k = v->c * v->kernel[0] * v->kernel[1];
  void *p = NULL;
  j.lanes = lar_ceil_div(v->o, LANES) * LANES;
  cut(&j);
  int64_t sums = j.shares * v->groups * k * j.lanes;
  int64_t slot = lar_planes_count(&j.planes, j.channels) + LAR_PLANES_SLACK +
                 j.rows * (j.alone ? lanes_of(v->out[1]) : v->out[1] * j.lanes);
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
    lar_conv_run(pieces, work / pieces, sum_body, &j);
    lar_par_for(v->groups * k, lar_conv_grain(j.shares * j.lanes), gather_body, &j);
  }
  lar_scratch_clear(&j.scratch);
  lar_free(j.sum);
  return st;
}
