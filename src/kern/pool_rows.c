/* The typed loops of kern/pool. */
#include <math.h>
#include <string.h>

#include "core/real.h"
#include "kern/pool_planes.h"

/* Elements from, from + step ... below end of a row or column. */
typedef struct range {
  int64_t from, end, step;
} range;

static range window(const lar_pool *v, int d, int64_t i) {
  int64_t size = v->size[d], out = v->out[d], step = v->dilation[d];
  if (v->kernel[d] == 0) return (range){i * size / out, ((i + 1) * size + out - 1) / out, 1};
  int64_t from = i * v->stride[d] - v->pad[d], end = from + (v->kernel[d] - 1) * step + 1;
  if (from < 0) from += (-from + step - 1) / step * step;
  return (range){from, end < size ? end : size, step};
}

/* Does a later element take the place of the largest so far? */
static inline bool beats(real later, real top) { return (top == top) & !(later <= top); }

/* Where the window's largest is; -1 where the window holds padding alone. */
static int64_t find(const lar_pool *v, const real *x, range r, range q) {
  if (r.from >= r.end || q.from >= q.end) return -1;
  int64_t best = r.from * v->size[1] + q.from;
  real top = x[best];
  for (int64_t i = r.from; i < r.end; i += r.step)
    for (int64_t k = q.from; k < q.end; k += q.step) {
      real here = x[i * v->size[1] + k];
      bool take = beats(here, top);
      top = take ? here : top;
      best = take ? i * v->size[1] + k : best;
    }
  return best;
}

/* ---- chunks of planes ---- */

#define AREA(v, what) ((v)->what[0] * (v)->what[1])

void LAR_R(lar_pool_max)(void *ctx, int64_t begin, int64_t end) {
  const lar_pool_job *j = ctx;
  const lar_pool *v = j->v;
  for (int64_t p = begin; p < end; p++) {
    const real *x = (const real *)j->x + p * AREA(v, size);
    real *y = (real *)j->to + p * AREA(v, out);
    if (lar_pool_in_pairs(v)) {
      LAR_R(lar_pairs_max)(v, y, x);
      continue;
    }
    for (int64_t i = 0; i < v->out[0]; i++)
      for (int64_t k = 0; k < v->out[1]; k++) {
        int64_t at = find(v, x, window(v, 0, i), window(v, 1, k));
        *y++ = at < 0 ? -(real)HUGE_VAL : x[at];
      }
  }
}

void LAR_R(lar_pool_max_spread)(void *ctx, int64_t begin, int64_t end) {
  const lar_pool_job *j = ctx;
  const lar_pool *v = j->v;
  bool fast = lar_pool_in_pairs(v);
  for (int64_t p = begin; p < end; p++) {
    const real *x = (const real *)j->x + p * AREA(v, size);
    const real *y = (const real *)j->from + p * AREA(v, out);
    real *to = (real *)j->to + p * AREA(v, size);
    if (v->coded)
      LAR_R(lar_pairs_decode)(v, to, y, (const unsigned char *)j->x + p * AREA(v, out));
    else if (fast)
      LAR_R(lar_pairs_spread)(v, to, y, x);
    if (fast) continue;
    memset(to, 0, (size_t)AREA(v, size) * sizeof(real));
    for (int64_t i = 0; i < v->out[0]; i++)
      for (int64_t k = 0; k < v->out[1]; k++, y++) {
        int64_t at = find(v, x, window(v, 0, i), window(v, 1, k));
        if (at >= 0 && (!v->clip || x[at] > 0)) to[at] += *y;
      }
  }
}

void LAR_R(lar_pool_max_pick)(void *ctx, int64_t begin, int64_t end) {
  const lar_pool_job *j = ctx;
  const lar_pool *v = j->v;
  real *y = (real *)j->to + begin * AREA(v, out);
  for (int64_t p = begin; p < end; p++) {
    const real *x = (const real *)j->x + p * AREA(v, size);
    const real *u = (const real *)j->from + p * AREA(v, size);
    for (int64_t i = 0; i < v->out[0]; i++)
      for (int64_t k = 0; k < v->out[1]; k++) {
        int64_t at = find(v, x, window(v, 0, i), window(v, 1, k));
        *y++ = at < 0 ? 0 : u[at];
      }
  }
}

/* ---- means ---- */

/* Places of the i-th window, by rows or columns: of padding too where it counts, never beyond.
 */
static int64_t places(const lar_pool *v, int d, int64_t i, range r) {
  if (!v->count_pad || v->kernel[0] == 0) return (r.end - r.from + r.step - 1) / r.step;
  int64_t from = i * v->stride[d] - v->pad[d], rest = v->size[d] + v->pad[d] - from;
  return v->kernel[d] < rest ? v->kernel[d] : rest;
}

/* At least 1, so that the mean of nothing is 0. */
static double count(const lar_pool *v, int64_t i, int64_t k, range r, range q) {
  if (r.from >= r.end || q.from >= q.end) return 1;
  return (double)(places(v, 0, i, r) * places(v, 1, k, q));
}

void LAR_R(lar_pool_mean)(void *ctx, int64_t begin, int64_t end) {
  const lar_pool_job *j = ctx;
  const lar_pool *v = j->v;
  real *y = (real *)j->to + begin * AREA(v, out);
  for (int64_t p = begin; p < end; p++) {
    const real *x = (const real *)j->x + p * AREA(v, size);
    for (int64_t i = 0; i < v->out[0]; i++)
      for (int64_t k = 0; k < v->out[1]; k++) {
        range r = window(v, 0, i), q = window(v, 1, k);
        double sum = 0;
        for (int64_t a = r.from; a < r.end; a += r.step)
          for (int64_t b = q.from; b < q.end; b += q.step) sum += (double)x[a * v->size[1] + b];
        *y++ = (real)(sum / count(v, i, k, r, q));
      }
  }
}

void LAR_R(lar_pool_mean_spread)(void *ctx, int64_t begin, int64_t end) {
  const lar_pool_job *j = ctx;
  const lar_pool *v = j->v;
  const real *y = (const real *)j->from + begin * AREA(v, out);
  for (int64_t p = begin; p < end; p++) {
    real *to = (real *)j->to + p * AREA(v, size);
    memset(to, 0, (size_t)AREA(v, size) * sizeof(real));
    for (int64_t i = 0; i < v->out[0]; i++)
      for (int64_t k = 0; k < v->out[1]; k++, y++) {
        range r = window(v, 0, i), q = window(v, 1, k);
        real share = (real)((double)*y / count(v, i, k, r, q));
        for (int64_t a = r.from; a < r.end; a += r.step)
          for (int64_t b = q.from; b < q.end; b += q.step) to[a * v->size[1] + b] += share;
      }
  }
}
