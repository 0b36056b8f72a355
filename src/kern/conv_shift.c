/* Sums of shifted planes: the output of a convolution, and its derivative by the input. */
#include <string.h>

#include "core/mem.h"
#include "core/par.h"
#include "core/real.h"
#include "kern/conv_tile.h"
#include "kern/conv_work.h"

/* y[i] = bias[i] + sum over terms k of a[k, i] times planes shifted by off[k], i < m. */
typedef struct shift {
  int64_t m, k;
  const real *a; /* packed: panels of PANEL outputs (the last of what is left), term by term */
  const int64_t *off;
  const real *planes;
  int64_t width, rows, cols; /* of a plane's row; places to write */
  real *y;
  int64_t plane, step[2]; /* in y: to the next output; to the next row and column */
  const real *bias;       /* NULL: none */
  bool clip;
} shift;

/* ---- writing ---- */

static void put_run(real *to, const real *from, int64_t n, int64_t step) {
  if (step == 1)
    memcpy(to, from, (size_t)n * sizeof(real));
  else
    for (int64_t q = 0; q < n; q++) to[q * step] = from[q];
}

/* A tile begins at place p and holds n; those past a row's last column are not of the image. */
static void put_tile(const shift *s, real *y, int64_t m, int64_t p, int64_t n,
                     const real *tile) {
  int64_t r = p / s->width, q = p % s->width;
  for (; n > 0; r++, q = 0) {
    int64_t here = s->cols - q < n ? s->cols - q : n, skip = s->width - q;
    real *to = y + r * s->step[0] + q * s->step[1];
    for (int64_t i = 0; here > 0 && i < m; i++)
      put_run(to + i * s->plane, tile + i * TILE, here, s->step[1]);
    tile += skip;
    n -= skip;
  }
}

static void make_tile(const shift *s, int64_t from, int64_t p, int64_t places) {
  real tile[PANEL * TILE];
  int64_t m = s->m - from < PANEL ? s->m - from : PANEL;
  int64_t n = places - p < TILE ? places - p : TILE;
  LAR_R(lar_conv_tile)
  (m, n, s->k, s->a + from * s->k, s->off, s->planes + p,
   s->bias == NULL ? NULL : s->bias + from, s->clip, tile);
  put_tile(s, s->y + from * s->plane, m, p, n, tile);
}

/* Few outputs at a time, from end to end: their factors stay in the first cache, the planes in
 * the second, and what is written goes on in as many streams as a core follows. */
static void run(const shift *s) {
  int64_t places = s->rows > 0 && s->cols > 0 ? (s->rows - 1) * s->width + s->cols : 0;
  for (int64_t from = 0; from < s->m; from += PANEL)
    for (int64_t p = 0; p < places; p += TILE) make_tile(s, from, p, places);
}

/* ---- jobs ---- */

/* What output and input have in common: pieces of (sample, group, some rows). */
typedef struct job {
  const lar_conv *v;
  lar_planes planes;
  int64_t rows, pieces; /* rows to a piece; pieces to a sample's group */
  int64_t *off, *term;  /* of every term */
  real *a;              /* packed factors, group by group */
  lar_scratch scratch;
  const real *from, *bias;
  real *to;
  int64_t base[2], reach[2], *phase; /* input only */
} job;

static lar_status job_init(job *j, int64_t channels, int64_t phases, const lar_conv *v) {
  void *p;
  int64_t taps = v->kernel[0] * v->kernel[1], terms = channels * taps;
  size_t ints = (size_t)(2 * terms + phases + 1) * sizeof(int64_t);
  j->v = v;
  LAR_TRY(lar_alloc_raw(&p, ints + (size_t)(v->groups * v->c * v->o * taps) * sizeof(real), 1));
  j->off = p;
  j->term = j->off + terms;
  j->phase = j->term + terms;
  p = j->phase + phases + 1;
  j->a = p;
  int64_t count = lar_planes_count(&j->planes, channels) + LAR_PLANES_SLACK;
  return lar_scratch_init(&j->scratch, (size_t)count * sizeof(real));
}

static void job_clear(job *j) {
  lar_scratch_clear(&j->scratch);
  lar_free(j->off);
}

static void job_run(job *j, int64_t work, lar_par_body *body) {
  int64_t count = j->v->n * j->v->groups * j->pieces;
  if (count > 0) lar_conv_run(count, work / count, body, j);
}

/* ---- output ---- */

static void output_piece(const job *j, int64_t at, real *planes) {
  const lar_conv *v = j->v;
  int64_t row = at % j->pieces * j->rows, image = at / j->pieces, group = image % v->groups;
  int64_t k = v->c * v->kernel[0] * v->kernel[1], area = v->out[0] * v->out[1];
  shift s = {.m = v->o,
             .k = k,
             .a = j->a + group * v->o * k,
             .off = j->off,
             .planes = planes,
             .width = j->planes.width,
             .rows = v->out[0] - row < j->rows ? v->out[0] - row : j->rows,
             .cols = v->out[1],
             .y = j->to + image * v->o * area + row * v->out[1],
             .plane = area,
             .step = {v->out[1], 1},
             .bias = j->bias == NULL ? NULL : j->bias + group * v->o,
             .clip = v->clip};
  LAR_R(lar_planes_fill)
  (&j->planes, v->c, row, j->from + image * v->c * v->size[0] * v->size[1], planes);
  run(&s);
}

static void output_body(void *ctx, int64_t begin, int64_t end) {
  job *j = ctx;
  int slot;
  real *planes = lar_scratch_take(&j->scratch, &slot);
  for (int64_t at = begin; at < end; at++) output_piece(j, at, planes);
  lar_scratch_give(&j->scratch, slot);
}

lar_status LAR_R(lar_conv_output)(const lar_conv *v, void *y, const void *x, const void *w,
                                  const void *bias) {
  job j = {.to = y, .from = x, .bias = bias};
  int64_t k = v->c * v->kernel[0] * v->kernel[1];
  lar_conv_planes(v, 1, &j.planes);
  int64_t bytes = lar_planes_count(&j.planes, v->c) / j.planes.rows * (int64_t)sizeof(real);
  j.rows = lar_conv_rows(v->out[0], bytes, v->n * v->groups);
  j.pieces = lar_ceil_div(v->out[0], j.rows);
  lar_conv_planes(v, j.rows, &j.planes);
  lar_status st = job_init(&j, v->c, 0, v);
  if (st == LAR_OK) {
    lar_conv_offsets(v, &j.planes, v->c, j.off);
    for (int64_t t = 0; t < k; t++) j.term[t] = t;
    for (int64_t g = 0; g < v->groups; g++) LAR_R(lar_conv_pack)
    (j.a + g * v->o * k, (const real *)w + g * v->o * k, v->o, k, k, j.term);
    job_run(&j, v->n * v->groups * v->o * k * v->out[0] * v->out[1], output_body);
  }
  job_clear(&j);
  return st;
}

/* ---- input ---- */

/* x's element u - pad, in direction d, gets from g's element u / stride - a dilation / stride
 * for those taps a that lie in its phase, u mod stride. */
typedef struct span {
  int64_t from, to; /* u / stride, for elements of the image within the piece */
} span;

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

static span places(const lar_conv *v, int d, int64_t phase, int64_t lo, int64_t hi) {
  int64_t s = v->stride[d], first = v->pad[d] - phase;
  span p = {-floor_div(-first, s), floor_div(v->size[d] - 1 + first, s) + 1};
  if (p.from < lo) p.from = lo;
  if (p.to > hi) p.to = hi;
  return p;
}

/* The terms of each phase: where they are in w and in the planes of g. */
static void input_terms(job *j) {
  const lar_conv *v = j->v;
  int64_t taps = v->kernel[0] * v->kernel[1], n = 0, at = 0;
  for (int64_t a = 0; a < v->stride[0]; a++)
    for (int64_t b = 0; b < v->stride[1]; b++, at++) {
      j->phase[at] = n;
      for (int64_t o = 0; o < v->o; o++)
        for (int64_t t = 0; t < taps; t++) {
          int64_t r = t / v->kernel[1] * v->dilation[0], q = t % v->kernel[1] * v->dilation[1];
          if (r % v->stride[0] != a || q % v->stride[1] != b) continue;
          int64_t row = o * j->planes.rows + j->reach[0] - r / v->stride[0];
          j->term[n] = o * v->c * taps + t;
          j->off[n++] = row * j->planes.width + j->reach[1] - q / v->stride[1];
        }
    }
  j->phase[at] = n;
}

static void input_pack(job *j, const real *w) {
  const lar_conv *v = j->v;
  int64_t taps = v->kernel[0] * v->kernel[1], size = v->o * v->c * taps;
  for (int64_t g = 0; g < v->groups; g++)
    for (int64_t p = 0; p < v->stride[0] * v->stride[1]; p++) LAR_R(lar_conv_pack)
  (j->a + g * size + j->phase[p] * v->c, w + g * size, v->c, taps,
   j->phase[p + 1] - j->phase[p], j->term + j->phase[p]);
}

static void input_phase(const job *j, int64_t p, int64_t image, int64_t row,
                        const real *planes) {
  const lar_conv *v = j->v;
  int64_t taps = v->kernel[0] * v->kernel[1], area = v->size[0] * v->size[1];
  int64_t a = p / v->stride[1], b = p % v->stride[1], at = j->phase[p], end = j->phase[p + 1];
  span r = places(v, 0, a, row, row + j->rows), q = places(v, 1, b, j->base[1], INT64_MAX);
  int64_t i = r.from * v->stride[0] + a - v->pad[0], k = q.from * v->stride[1] + b - v->pad[1];
  shift s = {.m = v->c,
             .k = end - at,
             .a = j->a + image % v->groups * v->o * v->c * taps + at * v->c,
             .off = j->off + at,
             .planes = planes + (r.from - row) * j->planes.width + q.from - j->base[1],
             .width = j->planes.width,
             .rows = r.to - r.from,
             .cols = q.to - q.from,
             .y = j->to + image * v->c * area + i * v->size[1] + k,
             .plane = area,
             .step = {v->stride[0] * v->size[1], v->stride[1]}};
  if (s.rows > 0 && s.cols > 0) run(&s);
}

/* Of the rows that a piece has written. */
static void input_sign(const job *j, int64_t image, int64_t row) {
  const lar_conv *v = j->v;
  int64_t from = row * v->stride[0] - v->pad[0], end = from + j->rows * v->stride[0];
  if (from < 0) from = 0;
  if (end > v->size[0]) end = v->size[0];
  for (int64_t c = 0; c < v->c && from < end; c++) {
    int64_t at = ((image * v->c + c) * v->size[0] + from) * v->size[1];
    LAR_R(lar_conv_sign)((end - from) * v->size[1], j->to + at, (const real *)v->sign + at);
  }
}

static void input_body(void *ctx, int64_t begin, int64_t end) {
  job *j = ctx;
  const lar_conv *v = j->v;
  int slot;
  real *planes = lar_scratch_take(&j->scratch, &slot);
  for (int64_t at = begin; at < end; at++) {
    int64_t row = j->base[0] + at % j->pieces * j->rows, image = at / j->pieces;
    LAR_R(lar_planes_fill)
    (&j->planes, v->o, row, j->from + image * v->o * v->out[0] * v->out[1], planes);
    for (int64_t p = 0; p < v->stride[0] * v->stride[1]; p++)
      input_phase(j, p, image, row, planes);
    if (v->sign != NULL) input_sign(j, image, row);
  }
  lar_scratch_give(&j->scratch, slot);
}

lar_status LAR_R(lar_conv_input)(const lar_conv *v, void *x, const void *g, const void *w) {
  job j = {.to = x, .from = g};
  int64_t count[2];
  for (int d = 0; d < 2; d++) {
    j.base[d] = v->pad[d] / v->stride[d];
    j.reach[d] = (v->kernel[d] - 1) * v->dilation[d] / v->stride[d];
    count[d] = (v->size[d] - 1 + v->pad[d]) / v->stride[d] + 1 - j.base[d];
    j.planes.size[d] = v->out[d];
    j.planes.stride[d] = j.planes.gap[d] = j.planes.phases[d] = 1;
  }
  j.planes.pad[0] = j.reach[0];
  j.planes.pad[1] = j.reach[1] - j.base[1];
  j.planes.width = count[1] + j.reach[1];
  j.rows =
    lar_conv_rows(count[0], v->o * j.planes.width * (int64_t)sizeof(real), v->n * v->groups);
  j.pieces = lar_ceil_div(count[0], j.rows);
  j.planes.rows = j.rows + j.reach[0];
  lar_status st = job_init(&j, v->o, v->stride[0] * v->stride[1], v);
  if (st == LAR_OK) {
    input_terms(&j);
    input_pack(&j, w);
    job_run(
      &j, v->n * v->groups * v->o * v->c * v->kernel[0] * v->kernel[1] * v->out[0] * v->out[1],
      input_body);
  }
  job_clear(&j);
  return st;
}
