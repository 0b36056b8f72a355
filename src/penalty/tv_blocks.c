/* One long row in blocks. A block's solution holds for the whole row when at both its cuts x
 * jumps the way that was guessed. While a stretch is in the making, coordinates of x that equal
 * the one before may be NaN. */
#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/par.h"
#include "core/real.h"
#include "penalty/penalty.h"
#include "penalty/tv.h"

enum {
  TOGETHER = 16,
  SHORTEST = 1024,
  LONGEST = 8192,
  SPREAD = 32,
  GRAIN = 32768,
  PARTS = 256
};

typedef struct blocks {
  lar_tv_row row;
  int64_t each, n;  /* blocks of about `each` coordinates */
  int64_t *cut;     /* where they start; n + 1 */
  signed char *way; /* how x jumps there, as was guessed; 0 once that does not matter */
  real *to;
  double soft, most; /* the greatest |v| */
  int64_t grain;
  double part[PARTS]; /* the greatest |v| of chunks */
  bool one_by_one;    /* blocks are not for tv_lanes.c */
  /* odd: not finite; blocks: that coordinates mended would make, that tv_lanes.c left */
  _Atomic int starved, odd, mended, undone;
} blocks;

/* ---- cuts ---- */

/* Near k * each, where v jumps most. */
static void guess(blocks *b, int64_t k) {
  const real *v = b->row.v;
  int64_t at = k * b->each, from = at - SPREAD, best = at;
  for (int64_t i = from; i < at + SPREAD; i++)
    if (fabs((double)v[i] - (double)v[i - 1]) > fabs((double)v[best] - (double)v[best - 1]))
      best = i;
  b->cut[k] = best;
  b->way[k] = v[best] < v[best - 1] ? -1 : 1;
}

static lar_tv_span block(const blocks *b, int64_t k, int64_t count) {
  return (lar_tv_span){b->cut[k], b->cut[k + count], b->way[k], b->way[k + count]};
}

/* ---- mending ---- */

/* A stretch whose ends are settled, or will be. */
typedef struct patch {
  blocks *b;
  lar_tv_span of;
  lar_tv_room *room;
  int64_t spent, most; /* coordinates solved again; from `most` on, all of them */
} patch;

/* The first of the coordinates that equal e's. */
static int64_t head(const real *x, int64_t e) {
  while (isnan(x[e])) e--;
  return e;
}

static int sign(real from, real to) { return (to > from) - (to < from); }

/* Below that a jump may be rounding. */
static bool clear(const blocks *b, real from, real to) {
  return fabs((double)to - (double)from) > 1e-11 * b->most;
}

/* The cut at e whose guess still matters, or 0. */
static int64_t open_cut(const blocks *b, int64_t e) {
  int64_t k = e / b->each;
  for (int64_t i = k > 1 ? k - 1 : 1; i <= k + 1 && i < b->n; i++)
    if (b->cut[i] == e && b->way[i] != 0) return i;
  return 0;
}

/* Which way x jumps at e, if it does so for sure. */
static int jump(const blocks *b, int64_t e) {
  const real *x = b->row.x;
  if (isnan(x[e])) return 0;
  real from = x[head(x, e - 1)];
  int way = clear(b, from, x[e]) ? sign(from, x[e]) : 0;
  int64_t k = way != 0 ? open_cut(b, e) : 0;
  return k == 0 || b->way[k] == way ? way : 0;
}

/* From jump to jump around [begin, end), by `grow` coordinates on either side or more. */
static lar_tv_span around(const patch *p, int64_t begin, int64_t end, int64_t grow) {
  lar_tv_span s = {begin - grow, end + grow, 0, 0};
  for (; s.begin > p->of.begin && s.into == 0; s.begin -= s.into == 0)
    s.into = jump(p->b, s.begin);
  for (; s.end < p->of.end && s.out == 0; s.end += s.out == 0) s.out = jump(p->b, s.end);
  if (s.begin <= p->of.begin) s.begin = p->of.begin, s.into = p->of.into;
  if (s.end >= p->of.end) s.end = p->of.end, s.out = p->of.out;
  return s;
}

/* Does x jump at its ends as was taken for granted? */
static bool holds(const patch *p, lar_tv_span s) {
  const real *x = p->b->row.x;
  return (s.begin == p->of.begin || sign(x[head(x, s.begin - 1)], x[s.begin]) * s.into >= 0) &&
         (s.end == p->of.end || sign(x[s.end - 1], x[s.end]) * s.out >= 0);
}

static lar_status solve(const patch *p, lar_tv_span of) {
  return LAR_R(lar_tv_solve)(&p->b->row, of, p->room);
}

/* The stretches grow fourfold, so that all together come to little more than the last. What one
 * that fails has left is not to be relied on: the next reaches beyond it. */
static lar_status mend(patch *p, int64_t k) {
  blocks *b = p->b;
  const real *x = b->row.x;
  int64_t e = b->cut[k];
  bool fits = b->way[k] == 0 || sign(x[head(x, e - 1)], x[e]) * b->way[k] >= 0;
  lar_tv_span s = {e, e, 0, 0};
  b->way[k] = 0;
  for (int64_t grow = 1; !fits; grow = 2 * (s.end - s.begin)) {
    s = p->spent < p->most ? around(p, s.begin, s.end, grow) : p->of;
    p->spent += s.end - s.begin;
    LAR_TRY(solve(p, s));
    for (int64_t i = k + 1; i < b->n && b->cut[i] < s.end; i++) b->way[i] = 0;
    fits = holds(p, s);
  }
  return LAR_OK;
}

/* ---- where nearly every edge is a jump ---- */

/* x is within 2 level of v: where v jumps by more than twice that, so does x. */
static inline real sure(real from, real to, real wide) {
  return to - from > wide ? (real)1 : from - to > wide ? (real)-1 : (real)0;
}

static real width(const blocks *b) { return (real)(4.001 * b->row.level); }

static bool is_lively(const blocks *b, lar_tv_span of) {
  const real *v = b->row.v, wide = width(b);
  int64_t n = 0;
  _Pragma("omp simd reduction(+ : n)") for (int64_t i = of.begin + 1; i < of.end; i++) n +=
    sure(v[i - 1], v[i], wide) != 0;
  return n > (of.end - of.begin) / 16 * 15;
}

/* Coordinates between two jumps are known; the others become NaN. */
static void put_singles(const blocks *b, lar_tv_span of) {
  const real *v = b->row.v, wide = width(b), level = (real)b->row.level;
  real *x = b->row.x;
  _Pragma("GCC ivdep") for (int64_t i = of.begin + 1; i < of.end - 1; i++) {
    real into = sure(v[i - 1], v[i], wide), out = sure(v[i], v[i + 1], wide);
    x[i] = into == 0 || out == 0 ? (real)NAN : v[i] + (out - into) * level;
  }
  x[of.begin] = x[of.end - 1] = (real)NAN;
}

static lar_status run_lively(const patch *p) {
  blocks *b = p->b;
  const real *v = b->row.v, wide = width(b);
  real *x = b->row.x;
  put_singles(b, p->of);
  for (int64_t i = p->of.begin; i < p->of.end; i++) {
    if (!isnan(x[i])) continue;
    lar_tv_span s = {i, i + 1, p->of.into, p->of.out};
    if (i > p->of.begin) s.into = (int)sure(v[i - 1], v[i], wide);
    while (s.end < p->of.end && sure(v[s.end - 1], v[s.end], wide) == 0) s.end++;
    if (s.end < p->of.end) s.out = (int)sure(v[s.end - 1], v[s.end], wide);
    LAR_TRY(solve(p, s));
    i = s.end - 1;
  }
  return LAR_OK;
}

/* ---- chunks of blocks ---- */

static lar_status run_apart(const patch *p, int64_t k, int64_t n) {
  blocks *b = p->b;
  lar_tv_span at[TOGETHER];
  memset((real *)b->row.x + p->of.begin, 0xff,
         (size_t)(p->of.end - p->of.begin) * sizeof(real));
  for (int64_t i = 0; i < n; i++) at[i] = block(b, k + i, 1);
  if (!b->one_by_one) LAR_R(lar_tv_lanes)(&b->row, n, at);
  for (int64_t i = 0; i < n; i++) {
    b->undone += at[i].begin < at[i].end;
    LAR_TRY(solve(p, at[i]));
  }
  return LAR_OK;
}

/* Blocks [k, k + n) apart, then the cuts between them. */
static lar_status run_blocks(blocks *b, int64_t k, int64_t n, lar_tv_room *room) {
  patch p = {.b = b, .of = block(b, k, n), .room = room, .most = b->each * n};
  lar_status st = LAR_OK;
  if (b->row.metric == NULL && is_lively(b, p.of)) {
    st = run_lively(&p);
    for (int64_t i = k + 1; i < k + n; i++) b->way[i] = 0;
  } else {
    st = run_apart(&p, k, n);
    for (int64_t i = k + 1; i < k + n && st == LAR_OK; i++) st = mend(&p, i);
  }
  b->mended += (int)(p.spent / b->each);
  return st;
}

static void run_part(void *ctx, int64_t begin, int64_t end) {
  blocks *b = ctx;
  lar_tv_room room = {0};
  for (int64_t k = begin; k < end; k += TOGETHER)
    if (run_blocks(b, k, end - k < TOGETHER ? end - k : TOGETHER, &room) != LAR_OK)
      b->starved = 1;
  lar_tv_clear(&room);
}

static void look_part(void *ctx, int64_t begin, int64_t end) {
  blocks *b = ctx;
  const real *v = b->row.v;
  real most = 0, sum = 0;
  _Pragma("omp simd reduction(+ : sum) reduction(max : most)") for (int64_t i = begin; i < end;
                                                                    i++) {
    real size = v[i] < 0 ? -v[i] : v[i];
    sum += v[i] * 0;
    most = size > most ? size : most;
  }
  if (sum != 0) b->odd = 1;
  b->part[begin / b->grain] = (double)most;
}

static void odd_part(void *ctx, int64_t begin, int64_t end) {
  const blocks *b = ctx;
  for (int64_t i = begin; i < end; i++) b->to[i] = (real)NAN;
}

static void put_part(void *ctx, int64_t begin, int64_t end) {
  const blocks *b = ctx;
  const real *x = b->row.x;
  real *to = b->to;
  int64_t from = head(x, begin);
  for (int64_t i = begin; i < end; i++) { /* a branch would be guessed wrong */
    from += (i - from) & -(int64_t)(x[i] == x[i]);
    to[i] = x[from];
  }
  for (int64_t i = begin; b->soft > 0 && i < end; i++)
    to[i] = (real)lar_soft((double)to[i], b->soft);
}

/* ---- a row ---- */

static void look(blocks *b) {
  b->grain = (b->row.n + PARTS - 1) / PARTS;
  if (b->grain < GRAIN) b->grain = GRAIN;
  lar_par_for(b->row.n, b->grain, look_part, b);
  for (int k = 0; k < PARTS; k++) b->most = fmax(b->most, b->part[k]);
}

static lar_status prepare(blocks *b) {
  void *p;
  b->each = b->row.n / (TOGETHER * 32);
  b->each = b->each < SHORTEST ? SHORTEST : b->each > LONGEST ? LONGEST : b->each;
  b->n = b->row.n / b->each;
  LAR_TRY(lar_alloc_raw(&b->row.x, (size_t)b->row.n, sizeof(real)));
  LAR_TRY(lar_alloc(&p, (size_t)b->n + 1, sizeof *b->cut));
  b->cut = p;
  LAR_TRY(lar_alloc(&p, (size_t)b->n + 1, sizeof *b->way));
  b->way = p;
  for (int64_t k = 1; k < b->n; k++) guess(b, k);
  b->cut[b->n] = b->row.n;
  return LAR_OK;
}

/* Those in the middle show what is of use: blocks at all, if x jumps often enough, and them at
 * a time. */
static lar_status run(blocks *b) {
  lar_tv_room room = {0};
  const lar_tv_span all = {0, b->row.n, 0, 0};
  int64_t middle = b->n / 2 / TOGETHER * TOGETHER;
  patch p = {.b = b, .of = all, .room = &room, .most = b->row.n / 4};
  lar_status st = LAR_OK;
  run_part(b, middle, b->n - middle < TOGETHER ? b->n : middle + TOGETHER);
  if (b->mended > TOGETHER)
    st = solve(&p, all);
  else {
    b->one_by_one = b->one_by_one || b->undone > TOGETHER / 4;
    for (int64_t k = 1; k < b->n; k++) guess(b, k);
    lar_par_for(b->n, TOGETHER, run_part, b);
    for (int64_t k = TOGETHER; k < b->n && st == LAR_OK && !b->starved; k += TOGETHER)
      st = mend(&p, k);
  }
  lar_tv_clear(&room);
  return b->starved ? lar_fail(LAR_ENOMEM, "not enough memory") : st;
}

lar_status LAR_R(lar_tv_long)(const lar_tv_job *job, int64_t row) {
  blocks b = {.row = {.n = job->n, .step = job->step}, .soft = job->soft};
  b.row.v = b.to = (real *)job->w + row * job->n;
  if (job->metric != NULL) b.row.metric = (const real *)job->metric + row * job->n;
  b.row.level = job->metric != NULL ? job->l : job->l * job->step;
  look(&b);
  if (b.odd) {
    lar_par_for(b.row.n, GRAIN, odd_part, &b);
    return LAR_OK;
  }
  b.row.x = b.to;
  bool large = b.row.metric != NULL || b.row.level > (double)b.row.n * b.most;
  if (!(b.row.level > 0) || (large && LAR_R(lar_tv_flat)(&b.row))) {
    lar_par_for(b.row.n, GRAIN, put_part, &b);
    return LAR_OK;
  }
  b.one_by_one = b.row.metric != NULL;
  lar_status st = prepare(&b);
  if (st == LAR_OK) st = run(&b);
  if (st == LAR_OK) lar_par_for(b.row.n, GRAIN, put_part, &b);
  lar_free(b.row.x);
  lar_free(b.cut);
  lar_free(b.way);
  return st;
}
