/* The derivative of a convolution by its weight: products of shifted planes with gradients. */
#include <string.h>

#include "core/mem.h"
#include "core/par.h"
#include "core/real.h"
#include "kern/conv_vec.h"
#include "kern/conv_work.h"

/* A tile is some terms by up to VECS registers of outputs; terms for each number of these. */
enum { VECS = LAR_VEC_MANY ? 4 : 3, TERMS1 = 12, TERMS2 = LAR_VEC_MANY ? 12 : 6 };
enum { TERMS3 = LAR_VEC_MANY ? 8 : 4, TERMS4 = 6, TERMS = 12 };

/* sum[k, o] += sum over rows r and columns q of planes[off[k] + r width + q] g[r, q, o]. */
typedef struct product {
  int64_t k, o; /* o: padded to whole registers */
  const int64_t *off;
  const real *planes, *g;
  int64_t width, rows, cols;
  real *sum;
} product;

/* `m` terms from `first` on (those past the last are made and left) by n registers. */
ALWAYS void product_tile(int m, int n, const product *p, int64_t first, const real *g,
                         real *sum) {
  vec acc[TERMS][VECS];
  const real *x[TERMS];
  for (int i = 0; i < m; i++) {
    x[i] = p->planes + p->off[first + i < p->k ? first + i : p->k - 1];
    for (int j = 0; j < n; j++) acc[i][j] = (vec){0};
  }
  for (int64_t r = 0; r < p->rows; r++)
    for (int64_t q = r * p->width; q < r * p->width + p->cols; q++, g += p->o) {
      vec y[VECS];
      for (int j = 0; j < n; j++) y[j] = vec_load(g + j * LANES);
      for (int i = 0; i < m; i++) {
        vec w = vec_all(x[i][q]);
        for (int j = 0; j < n; j++) acc[i][j] += w * y[j];
      }
    }
  for (int i = 0; i < m && first + i < p->k; i++)
    for (int j = 0; j < n; j++) {
      real *to = sum + (first + i) * p->o + j * LANES;
      vec_store(to, vec_load(to) + acc[i][j]);
    }
}

#define PRODUCT_FN(n)                                              \
  static void product_##n(const product *p, int64_t from) {        \
    for (int64_t k = 0; k < p->k; k += TERMS##n)                   \
      product_tile(TERMS##n, n, p, k, p->g + from, p->sum + from); \
  }
PRODUCT_FN(1)
PRODUCT_FN(2)
PRODUCT_FN(3)
#if LAR_VEC_MANY
PRODUCT_FN(4)
#endif

static void run(const product *p) {
  static void (*const some[])(const product *, int64_t) = {
    product_1,
    product_2,
    product_3,
#if LAR_VEC_MANY
    product_4
#endif
  };
  for (int64_t from = 0; from < p->o; from += VECS * LANES) {
    int64_t left = (p->o - from) / LANES;
    some[(left < VECS ? left : VECS) - 1](p, from);
  }
}

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

/* to (rows, columns, outputs) from the group's planes of g (outputs, rows, columns). */
static void turn(const job *j, int64_t row, int64_t rows, const real *g, real *to) {
  int64_t area = j->v->out[0] * j->v->out[1], n = rows * j->v->out[1];
  g += row * j->v->out[1];
  for (int64_t p = 0; p < n; p++, to += j->lanes) {
    for (int64_t o = 0; o < j->v->o; o++) to[o] = g[o * area + p];
    for (int64_t o = j->v->o; o < j->lanes; o++) to[o] = 0;
  }
}

/* One sample's part in the sums of the channels from `channel` on. */
static void add_sample(const job *j, int64_t image, int64_t channel, product *p, real *planes) {
  const lar_conv *v = j->v;
  int64_t left = v->c - channel, channels = left < j->channels ? left : j->channels;
  real *turned = planes + lar_planes_count(&j->planes, j->channels) + LAR_PLANES_SLACK;
  const real *x = j->x + (image * v->c + channel) * v->size[0] * v->size[1];
  p->k = channels * v->kernel[0] * v->kernel[1];
  p->planes = planes;
  p->g = turned;
  for (int64_t row = 0; row < v->out[0]; row += j->rows) {
    p->rows = v->out[0] - row < j->rows ? v->out[0] - row : j->rows;
    LAR_R(lar_planes_fill)(&j->planes, channels, row, x, planes);
    turn(j, row, p->rows, j->g + image * v->o * v->out[0] * v->out[1], turned);
    run(p);
  }
}

static void sum_piece(const job *j, int64_t at, real *planes) {
  const lar_conv *v = j->v;
  int64_t channel = at % j->blocks * j->channels, group = at / j->blocks % v->groups;
  int64_t share = at / j->blocks / v->groups, taps = v->kernel[0] * v->kernel[1];
  int64_t first = share * j->samples, last = first + j->samples;
  int64_t terms = v->c * taps * j->lanes;
  product p = {.o = j->lanes, .off = j->off, .width = j->planes.width, .cols = v->out[1]};
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

/* w[o, k] = the sum of all shares, in their order. */
static void gather_body(void *ctx, int64_t begin, int64_t end) {
  const job *j = ctx;
  const lar_conv *v = j->v;
  int64_t k = v->c * v->kernel[0] * v->kernel[1], step = v->groups * k * j->lanes;
  for (int64_t at = begin; at < end; at++) {
    int64_t group = at / v->o, o = at % v->o;
    const real *sum = j->sum + group * k * j->lanes + o;
    for (int64_t t = 0; t < k; t++) {
      double total = 0;
      for (int64_t s = 0; s < j->shares; s++) total += (double)sum[s * step + t * j->lanes];
      j->w[at * k + t] = (real)total;
    }
  }
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
    lar_par_for(v->groups * v->o, lar_conv_grain(16 * k * j.shares), gather_body, &j);
  }
  lar_scratch_clear(&j.scratch);
  lar_free(j.sum);
  return st;
}
