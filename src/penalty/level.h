/*
 * penalty/level - projections that cut each group at a level: the l1 ball and the simplex.
 *
 * Include after core/real.h, with LAR_LEVEL_FOLDS 1 (the ball: magnitudes x_j = |w_j|) or 0
 * (the simplex: x_j = w_j). The projection in the metric of steps t_j is x_j = max(0, x_j - tau
 * t_j) with the tau that makes the group's sum the radius. That sum is a convex, falling,
 * piecewise linear function of tau, so Newton's method from below rises to the root, drops
 * coordinates on its way and is exact when it drops none (Michelot 1986, JOTA 50(1); Condat
 * 2016, Math. Program. 158). It starts at the greater of two lower bounds: all coordinates
 * active, or only the largest. Each round is one streaming pass without memory of its own; a
 * handful suffice, and where few coordinates are left they are gathered and looked at alone.
 */
#ifndef LAR_PENALTY_LEVEL_H
#define LAR_PENALTY_LEVEL_H

#include <tgmath.h>

#include "penalty/radial.h"

typedef struct level {
  double radius;
} level;

/* Sums over the coordinates above a level, and the greatest (x_j - radius) / t_j. */
typedef struct tally {
  double x, t, n, top;
} tally;

/* What a part holds above a level, up to so many of them. */
enum { LAR_LEVEL_KEPT = 64 };

typedef struct keep {
  double x[LAR_LEVEL_KEPT], t[LAR_LEVEL_KEPT];
  int n; /* one more than fits: too many */
} keep;

typedef struct level_job {
  const lar_pen_at *at;
  const real *v, *metric;
  real *to;
  double radius, tau, *value;
  int64_t grain;
  bool first;
  tally *part;
  keep *kept;
} level_job;

static inline double size_of(real v) { return (double)(LAR_LEVEL_FOLDS ? fabs(v) : v); }

/* The first look takes every coordinate. */
static inline void look_range(const level_job *r, int64_t begin, int64_t end, tally *sum) {
  const real *v = r->v, *m = r->metric;
  double x = 0, t = 0, top = sum->top, radius = r->radius;
  if (m == NULL) {
    _Pragma("omp simd reduction(+ : x) reduction(max : top)") for (int64_t j = begin; j < end;
                                                                   j++) {
      double a = size_of(v[j]), b = a - radius;
      x += a;
      top = b > top ? b : top;
    }
    t = (double)(end - begin);
  } else {
    _Pragma("omp simd reduction(+ : x, t) reduction(max : top)") for (int64_t j = begin;
                                                                      j < end; j++) {
      double a = size_of(v[j]), s = (double)m[j], b = (a - radius) / s;
      x += a;
      t += s;
      top = b > top ? b : top;
    }
  }
  sum->x += x, sum->t += t, sum->n += (double)(end - begin), sum->top = top;
}

/* Coordinates above the level; compared in the tensor's own dtype, added up in double. */
static inline void cut_plain(const real *v, int64_t begin, int64_t end, double tau,
                             tally *sum) {
  enum { BLOCK = 8192 };
  const real cut = (real)tau;
  double x = 0, n = 0;
  for (int64_t at = begin; at < end; at += BLOCK) {
    int64_t stop = end - at < BLOCK ? end : at + BLOCK;
    int count = 0;
    _Pragma("omp simd reduction(+ : x, count)") for (int64_t j = at; j < stop; j++) {
      real a = LAR_LEVEL_FOLDS ? fabs(v[j]) : v[j];
      x += (double)(a > cut ? a : (real)0);
      count += a > cut ? 1 : 0;
    }
    n += count;
  }
  sum->x += x, sum->t += n, sum->n += n;
}

static inline void cut_range(const level_job *r, int64_t begin, int64_t end, double tau,
                             tally *sum) {
  const real *v = r->v, *m = r->metric;
  double x = 0, t = 0, n = 0;
  if (m == NULL) {
    cut_plain(v, begin, end, tau, sum);
    return;
  }
  _Pragma("omp simd reduction(+ : x, t, n)") for (int64_t j = begin; j < end; j++) {
    double a = size_of(v[j]), s = (double)m[j];
    bool on = a > tau * s;
    x += on ? a : 0;
    t += on ? s : 0;
    n += on ? 1 : 0;
  }
  sum->x += x, sum->t += t, sum->n += n;
}

static inline void put_range(const level_job *r, int64_t begin, int64_t end, double tau) {
  const real *m = r->metric;
  real *to = r->to;
  _Pragma("GCC ivdep") for (int64_t j = begin; j < end; j++) {
    double a = size_of(to[j]), left = a - (m != NULL ? tau * (double)m[j] : tau);
    real u = (real)(left <= 0 ? 0 : left);
    to[j] = LAR_LEVEL_FOLDS ? copysign(u, to[j]) + (real)0 : u; /* 0, not -0 */
  }
}

/* stmt for the stretches [begin, end) of group g. */
#define LAR_STRETCHES(G, g, stmt)                                                      \
  if ((G)->order != NULL)                                                              \
    for (int64_t i = (G)->start[g]; i < (G)->start[(g) + 1]; i++) {                    \
      const int64_t begin = (G)->order[i], end = begin + 1;                            \
      stmt;                                                                            \
    }                                                                                  \
  else                                                                                 \
    for (int64_t o = 0; o < (G)->outer; o++) {                                         \
      const int64_t begin = (o * (G)->n + (g)) * (G)->inner, end = begin + (G)->inner; \
      stmt;                                                                            \
    }

/* ---- one group that is the whole tensor: its stretches go to threads ---- */

static bool is_whole(const lar_groups *G) {
  return G->order == NULL && G->n == 1 && G->outer == 1;
}

static void tally_part(void *ctx, int64_t begin, int64_t end) {
  const level_job *r = ctx;
  tally *sum = &r->part[begin / r->grain];
  *sum = (tally){.top = -HUGE_VAL};
  if (r->first)
    look_range(r, begin, end, sum);
  else
    cut_range(r, begin, end, r->tau, sum);
}

static void put_part(void *ctx, int64_t begin, int64_t end) {
  const level_job *r = ctx;
  put_range(r, begin, end, r->tau);
}

static tally tally_whole(const level_job *r, bool first, double tau) {
  tally part[LAR_RADIAL_PARTS], sum = {.top = -HUGE_VAL};
  int64_t n = r->at->groups->numel, grain = (n + LAR_RADIAL_PARTS - 1) / LAR_RADIAL_PARTS;
  level_job own = *r;
  own.grain = grain < LAR_RADIAL_WORK ? LAR_RADIAL_WORK : grain;
  own.first = first, own.tau = tau, own.part = part;
  lar_par_for(n, own.grain, tally_part, &own);
  for (int64_t k = 0; k * own.grain < n; k++) {
    sum.x += part[k].x, sum.t += part[k].t, sum.n += part[k].n;
    sum.top = part[k].top > sum.top ? part[k].top : sum.top;
  }
  return sum;
}

static void keep_one(keep *k, double x, double t) {
  if (k->n < LAR_LEVEL_KEPT) {
    k->x[k->n] = x;
    k->t[k->n] = t;
  }
  k->n += k->n <= LAR_LEVEL_KEPT;
}

static void keep_part(void *ctx, int64_t begin, int64_t end) {
  enum { BLOCK = 256 };
  const level_job *r = ctx;
  const real *v = r->v, *m = r->metric;
  const double tau = r->tau;
  keep *k = &r->kept[begin / r->grain];
  k->n = 0;
  for (int64_t at = begin; at < end && k->n <= LAR_LEVEL_KEPT; at += BLOCK) {
    int64_t stop = end - at < BLOCK ? end : at + BLOCK;
    int count = 0;
    _Pragma("omp simd reduction(+ : count)") for (int64_t j = at; j < stop; j++) count +=
      size_of(v[j]) > (m != NULL ? tau * (double)m[j] : tau) ? 1 : 0;
    for (int64_t j = at; count > 0 && j < stop; j++) {
      double x = size_of(v[j]), t = m != NULL ? (double)m[j] : 1;
      if (x > tau * t) keep_one(k, x, t);
    }
  }
}

/* The root from the coordinates above tau, a lower bound; false where they are too many. */
static bool finish_few(const level_job *r, double *tau) {
  keep kept[LAR_RADIAL_PARTS];
  const int64_t n = r->at->groups->numel;
  level_job own = *r;
  own.grain = (n + LAR_RADIAL_PARTS - 1) / LAR_RADIAL_PARTS;
  own.tau = *tau, own.kept = kept;
  lar_par_for(n, own.grain, keep_part, &own);
  int64_t parts = (n + own.grain - 1) / own.grain, before = -1;
  for (int64_t p = 0; p < parts; p++)
    if (kept[p].n > LAR_LEVEL_KEPT) return false;
  for (int64_t on = 0; on != before;) {
    double x = 0, t = 0;
    before = on, on = 0;
    for (int64_t p = 0; p < parts; p++)
      for (int k = 0; k < kept[p].n; k++)
        if (kept[p].x[k] > *tau * kept[p].t[k]) x += kept[p].x[k], t += kept[p].t[k], on++;
    if (on == 0) break;
    double next = (x - r->radius) / t;
    *tau = next > *tau ? next : *tau;
  }
  return true;
}

/* ---- any group ---- */

static tally tally_group(const level_job *r, int64_t g, bool first, double tau) {
  const lar_groups *G = r->at->groups;
  tally sum = {.top = -HUGE_VAL};
  if (is_whole(G)) return tally_whole(r, first, tau);
  if (first) {
    LAR_STRETCHES(G, g, look_range(r, begin, end, &sum))
  } else {
    LAR_STRETCHES(G, g, cut_range(r, begin, end, tau, &sum))
  }
  return sum;
}

static void put_group(const level_job *r, int64_t g, double tau) {
  const lar_groups *G = r->at->groups;
  level_job own = *r;
  own.tau = tau;
  if (is_whole(G))
    lar_par_for(G->numel, LAR_RADIAL_WORK, put_part, &own);
  else
    LAR_STRETCHES(G, g, put_range(r, begin, end, tau))
}

/* The level of a sample of a long group, for a start: wherever Newton's method starts, its
 * first step lands below the root. */
static double sampled_level(const level_job *r, double tau) {
  enum { SAMPLE = 8192, ROUNDS = 60 };
  const int64_t stride = r->at->groups->numel / SAMPLE;
  double size[SAMPLE], step[SAMPLE], active = -1;
  for (int64_t i = 0; i < SAMPLE; i++) {
    size[i] = size_of(r->v[i * stride + stride / 2]);
    step[i] = r->metric != NULL ? (double)r->metric[i * stride + stride / 2] : 1;
  }
  for (int round = 0; round < ROUNDS; round++) {
    double x = 0, t = 0, on = 0;
    _Pragma("omp simd reduction(+ : x, t, on)") for (int64_t i = 0; i < SAMPLE; i++) {
      bool above = size[i] > tau * step[i];
      x += above ? size[i] : 0;
      t += above ? step[i] : 0;
      on += above ? 1 : 0;
    }
    if (on == 0 || on == active) break;
    active = on;
    tau = (x - r->radius / (double)stride) / t;
  }
  return tau;
}

static void project_group(const level_job *r, int64_t g) {
  enum { ROUNDS = 1000, LONG = 65536, FEW = 6000 };
  const lar_groups *G = r->at->groups;
  tally sum = tally_group(r, g, true, 0);
  if (sum.n == 0 || (LAR_LEVEL_FOLDS && sum.x <= r->radius)) return;
  double low = (sum.x - r->radius) / sum.t, active = -1;
  if (!(low >= sum.top)) low = sum.top;
  bool large = is_whole(G) && G->numel > LONG, known = large && finish_few(r, &low);
  double tau = large && !known ? sampled_level(r, low) : low;
  for (int round = 0; round < ROUNDS && !known; round++) {
    tally on = tally_group(r, g, false, tau);
    double next = on.n > 0 ? (on.x - r->radius) / on.t : low;
    bool done = on.n == active;
    active = on.n;
    if (next > tau || round == 0 || done) tau = next > low ? next : low;
    if (done) break;
    known = large && on.n < FEW && finish_few(r, &tau);
  }
  put_group(r, g, tau);
}

static void project_part(void *ctx, int64_t begin, int64_t end) {
  for (int64_t g = begin; g < end; g++) project_group(ctx, g);
}

static void prox_all(const lar_pen_at *at, void *w, double step, const void *metric) {
  level_job r = {.at = at, .v = w, .to = w, .metric = metric};
  r.radius = ((const level *)at->self)->radius;
  lar_par_for(at->groups->n, lar_radial_grain(at->groups, false), project_part, &r);
}

/* 0, or infinite where the group is outside; NaN where it holds NaN. */
static double value_group(const level_job *r, int64_t g) {
  const real *v = r->v;
  double sum = 0, least = 0, slack = LAR_SLACK * r->radius;
  LAR_STRETCHES(r->at->groups, g, {
    _Pragma("omp simd reduction(+ : sum) reduction(min : least)") for (int64_t j = begin;
                                                                       j < end; j++) {
      double a = size_of(v[j]);
      sum += a;
      least = a < least ? a : least;
    }
  })
  if (isnan(sum)) return sum;
  if (LAR_LEVEL_FOLDS) return sum > r->radius + slack ? HUGE_VAL : 0;
  return least < 0 || fabs(sum - r->radius) > slack ? HUGE_VAL : 0;
}

static void value_part(void *ctx, int64_t begin, int64_t end) {
  const level_job *r = ctx;
  for (int64_t g = begin; g < end; g++) r->value[begin / r->grain] += value_group(r, g);
}

static double value_all(const lar_pen_at *at, const void *w) {
  double part[LAR_RADIAL_PARTS] = {0}, sum = 0;
  level_job r = {.at = at, .v = w, .value = part, .grain = lar_radial_grain(at->groups, true)};
  r.radius = ((const level *)at->self)->radius;
  if (at->groups->numel == 0) return 0;
  lar_par_for(at->groups->n, r.grain, value_part, &r);
  for (int k = 0; k < LAR_RADIAL_PARTS; k++) sum += part[k];
  return sum;
}

static void grad_all(const lar_pen_at *at, const void *w, void *g) {}

#endif
