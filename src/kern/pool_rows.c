/* The typed loops of kern/pool. */
#include <math.h>
#include <string.h>

#include "core/real.h"
#include "kern/conv_vec.h"
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

/* ---- windows of 2 by 2, side by side: the most frequent, in vectors ---- */

static bool pairs(const lar_pool *v) {
  for (int d = 0; d < 2; d++)
    if (v->kernel[d] != 2 || v->stride[d] != 2 || v->pad[d] != 0 || v->dilation[d] != 1)
      return false;
  return true;
}

typedef vec_mask mask;

/* As `beats`, for registers: all bits or none. */
ALWAYS mask is_number(vec v) {
  vec same = v;
  return (mask)(v == same);
}
ALWAYS mask second_of(vec a, vec b) { return is_number(a) & ~(mask)(b <= a); }
ALWAYS vec choose(mask m, vec yes, vec no) { return (vec)((m & (mask)yes) | (~m & (mask)no)); }
ALWAYS vec where(mask m, vec v) { return (vec)(m & (mask)v); }

/* Two windows' rows of 2 LANES elements as the four elements of LANES windows. */
typedef struct quad {
  vec p, q, r, s;
} quad;

ALWAYS quad quad_load(const real *a, const real *b) {
  vec a0 = vec_load(a), a1 = vec_load(a + LANES), b0 = vec_load(b), b1 = vec_load(b + LANES);
  return (quad){vec_even(a0, a1), vec_odd(a0, a1), vec_even(b0, b1), vec_odd(b0, b1)};
}

/* The largest of each window. */
static void pairs_max(real *y, const real *a, const real *b) {
  quad x = quad_load(a, b);
  vec upper = choose(second_of(x.p, x.q), x.q, x.p);
  vec lower = choose(second_of(x.r, x.s), x.s, x.r);
  vec_store(y, choose(second_of(upper, lower), lower, upper));
}

/* Each element gets g where it is the window's largest, in the order of `find`. */
static void pairs_spread(bool clip, real *ga, real *gb, const real *g, const real *a,
                         const real *b) {
  quad x = quad_load(a, b);
  vec y = vec_load(g);
  mask pq = second_of(x.p, x.q), rs = second_of(x.r, x.s);
  vec upper = choose(pq, x.q, x.p), lower = choose(rs, x.s, x.r);
  mask below = second_of(upper, lower);
  if (clip) y = where((mask)(choose(below, lower, upper) > 0), y);
  vec_zip(ga, where(~below & ~pq, y), where(~below & pq, y));
  vec_zip(gb, where(below & ~rs, y), where(below & rs, y));
}

/* A row of windows: whole registers, the last of them over places that were done before, or
 * over a copy where there are too few. */
typedef struct pairs_row {
  real a[2 * LANES], b[2 * LANES], ga[2 * LANES], gb[2 * LANES], g[LANES];
} pairs_row;

static void pairs_max_row(int64_t n, real *y, const real *a, const real *b) {
  for (int64_t i = 0; i + LANES <= n; i += LANES) pairs_max(y + i, a + 2 * i, b + 2 * i);
  int64_t at = n - LANES;
  if (n % LANES == 0) return;
  if (at > 0) {
    pairs_max(y + at, a + 2 * at, b + 2 * at);
    return;
  }
  pairs_row r = {0};
  memcpy(r.a, a, 2 * (size_t)n * sizeof(real));
  memcpy(r.b, b, 2 * (size_t)n * sizeof(real));
  pairs_max(r.g, r.a, r.b);
  memcpy(y, r.g, (size_t)n * sizeof(real));
}

static void pairs_spread_row(bool clip, int64_t n, real *ga, real *gb, const real *g,
                             const real *a, const real *b) {
  for (int64_t i = 0; i + LANES <= n; i += LANES)
    pairs_spread(clip, ga + 2 * i, gb + 2 * i, g + i, a + 2 * i, b + 2 * i);
  int64_t at = n - LANES;
  if (n % LANES == 0) return;
  if (at > 0) {
    pairs_spread(clip, ga + 2 * at, gb + 2 * at, g + at, a + 2 * at, b + 2 * at);
    return;
  }
  pairs_row r = {0};
  size_t bytes = (size_t)n * sizeof(real);
  memcpy(r.a, a, 2 * bytes);
  memcpy(r.b, b, 2 * bytes);
  memcpy(r.g, g, bytes);
  pairs_spread(clip, r.ga, r.gb, r.g, r.a, r.b);
  memcpy(ga, r.ga, 2 * bytes);
  memcpy(gb, r.gb, 2 * bytes);
}

static void pairs_spread_plane(const lar_pool *v, real *to, const real *y, const real *x) {
  int64_t w = v->size[1], n = v->out[1];
  for (int64_t i = 0; i < v->out[0]; i++) {
    const real *a = x + 2 * i * w;
    real *ga = to + 2 * i * w;
    pairs_spread_row(v->clip, n, ga, ga + w, y + i * n, a, a + w);
    if (w % 2 != 0) ga[w - 1] = ga[2 * w - 1] = 0;
  }
  if (v->size[0] % 2 != 0) memset(to + (v->size[0] - 1) * w, 0, (size_t)w * sizeof(real));
}

/* ---- chunks of planes ---- */

#define AREA(v, what) ((v)->what[0] * (v)->what[1])

void LAR_R(lar_pool_max)(void *ctx, int64_t begin, int64_t end) {
  const lar_pool_job *j = ctx;
  const lar_pool *v = j->v;
  bool fast = pairs(v);
  real *y = (real *)j->to + begin * AREA(v, out);
  for (int64_t p = begin; p < end; p++) {
    const real *x = (const real *)j->x + p * AREA(v, size);
    for (int64_t i = 0; i < v->out[0]; i++, y += v->out[1]) {
      range r = window(v, 0, i);
      const real *row = x + 2 * i * v->size[1];
      if (fast) pairs_max_row(v->out[1], y, row, row + v->size[1]);
      for (int64_t k = 0; !fast && k < v->out[1]; k++) {
        int64_t at = find(v, x, r, window(v, 1, k));
        y[k] = at < 0 ? -(real)HUGE_VAL : x[at];
      }
    }
  }
}

void LAR_R(lar_pool_max_spread)(void *ctx, int64_t begin, int64_t end) {
  const lar_pool_job *j = ctx;
  const lar_pool *v = j->v;
  bool fast = pairs(v);
  for (int64_t p = begin; p < end; p++) {
    const real *x = (const real *)j->x + p * AREA(v, size);
    const real *y = (const real *)j->from + p * AREA(v, out);
    real *to = (real *)j->to + p * AREA(v, size);
    if (fast) {
      pairs_spread_plane(v, to, y, x);
      continue;
    }
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

static double count(const lar_pool *v, range r, range q) {
  if (v->count_pad && v->kernel[0] != 0) return (double)(v->kernel[0] * v->kernel[1]);
  int64_t rows = (r.end - r.from + r.step - 1) / r.step;
  int64_t columns = (q.end - q.from + q.step - 1) / q.step;
  return (double)(rows * columns);
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
        *y++ = (real)(sum / count(v, r, q));
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
        real share = (real)((double)*y / count(v, r, q));
        for (int64_t a = r.from; a < r.end; a += r.step)
          for (int64_t b = q.from; b < q.end; b += q.step) to[a * v->size[1] + b] += share;
      }
  }
}
