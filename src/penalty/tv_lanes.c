/* Several stretches of a row at a time, a step of each at once, so that a processor with
 * vectors has no branch to guess.
 *
 * A segment that starts at k0 is followed to k. Were x there vmin (or vmax), the least (the
 * greatest) it could be, the dual of the edge after k would be umin (umax); they touch their
 * bound last after km (kp). When the next coordinate would push one across the other bound, the
 * segment ends at km with vmin, x falling, or at kp with vmax, x rising; and the next segment
 * starts behind it. Each start looks again at what lies ahead: a stretch on which that comes to
 * more than some steps for each coordinate is left to the dynamic programme. */
#include <math.h>
#include <string.h>

#include "core/real.h"
#include "penalty/tv.h"

enum { LANES = 16, PATIENCE = 3, HEAD = 256, WATCH = 128 };

/* Positions are counted from `base`, and double, so that all of a lane is of one kind; as
 * integers they are where to read and write. */
typedef struct lanes {
  double k0[LANES], k[LANES], km[LANES], kp[LANES];
  double vmin[LANES], vmax[LANES], umin[LANES], umax[LANES];
  double last[LANES], limit[LANES];  /* the last coordinate; past it something must be done */
  double beyond[LANES];              /* what comes after the last one */
  double way[LANES], into[LANES];    /* of the jump of this step, of the last one; 0: none */
  double put[LANES];                 /* the value of the segment that ends, at `at` */
  int32_t here[LANES], ahead[LANES]; /* k, and after k, or the last */
  double at[LANES];                  /* k0 before the step */
  int64_t began[LANES];
  lar_tv_span *span[LANES]; /* NULL: idle */
} lanes;

typedef struct race {
  const real *v;
  real *x;
  double level;
  int64_t base, next, n, live, step;
  int width; /* lanes that have ever had a stretch */
  lar_tv_span *span;
  lanes s;
} race;

/* A segment of lane l starts at k: after a jump, or free. */
static void restart(race *r, int l, double k, int into) {
  lanes *s = &r->s;
  double v = (double)r->v[(int)k], up = into > 0 ? 0 : into < 0 ? 2 : 1;
  s->k0[l] = s->k[l] = s->km[l] = s->kp[l] = k;
  s->ahead[l] = (int32_t)fmin(k + 1, s->last[l]);
  s->vmin[l] = v - (2 - up) * r->level;
  s->vmax[l] = v + up * r->level;
  s->umin[l] = r->level;
  s->umax[l] = -r->level;
  s->into[l] = into;
}

/* An idle lane writes again what it wrote last, and never moves. */
static void rest(race *r, int l) {
  lanes *s = &r->s;
  s->k0[l] = s->k[l] = s->km[l] = s->kp[l] = s->last[l] = s->at[l];
  s->ahead[l] = (int32_t)s->at[l];
  s->limit[l] = HUGE_VAL;
  s->vmin[l] = s->vmax[l] = s->put[l];
  s->beyond[l] = (double)NAN;
  s->span[l] = NULL;
  r->live--;
}

static void take(race *r, int l) {
  lanes *s = &r->s;
  if (r->next == r->n) {
    rest(r, l);
    return;
  }
  lar_tv_span *of = &r->span[r->next++];
  s->span[l] = of;
  s->began[l] = r->step;
  s->last[l] = (double)(of->end - r->base - 1);
  s->limit[l] = of->out == 0 ? s->last[l] - 1 : s->last[l];
  s->beyond[l] = of->out > 0 ? HUGE_VAL : -HUGE_VAL;
  restart(r, l, (double)(of->begin - r->base), of->into);
}

static void finish(race *r, int l) {
  r->s.span[l]->begin = r->s.span[l]->end;
  take(r, l);
}

/* At a free end the dual must be 0: it may take more jumps to get there. */
static void settle(race *r, int l) {
  lanes *s = &r->s;
  while (s->k[l] == s->last[l]) {
    bool falls = s->umin[l]<0, rises = s->umax[l]> 0;
    double len = s->k[l] - s->k0[l] + 1;
    s->at[l] = s->k0[l];
    s->put[l] = falls ? s->vmin[l] : rises ? s->vmax[l] : s->vmin[l] + s->umin[l] / len;
    r->x[(int)s->at[l]] = (real)s->put[l];
    if (!falls && !rises) {
      finish(r, l);
      return;
    }
    restart(r, l, (falls ? s->km[l] : s->kp[l]) + 1, falls ? -1 : 1);
  }
}

static void see_to(race *r) {
  lanes *s = &r->s;
  for (int l = 0; l < LANES; l++) {
    if (!(s->k[l] > s->limit[l])) continue;
    if (s->k[l] > s->last[l])
      finish(r, l);
    else
      settle(r, l);
  }
}

/* What takes too long is given up where it is. */
static void watch(race *r) {
  lanes *s = &r->s;
  for (int l = 0; l < LANES; l++) {
    if (s->span[l] == NULL) continue;
    lar_tv_span *of = s->span[l];
    int64_t steps = r->step - s->began[l], went = (int64_t)s->k[l] + r->base - of->begin;
    if (steps <= HEAD + PATIENCE * went) continue;
    of->begin = r->base + (int64_t)s->k0[l];
    of->into = (int)s->into[l];
    take(r, l);
  }
}

/* One step of each lane: next[l] is the coordinate after k. True when a lane is past its
 * limit. */
static inline bool advance(lanes *s, double level, const double *next) {
  double past = 0;
  _Pragma("omp simd reduction(+ : past)") for (int l = 0; l < LANES; l++) {
    double k = s->k[l], k0 = s->k0[l], km = s->km[l], kp = s->kp[l];
    double vmin = s->vmin[l], vmax = s->vmax[l], into = s->into[l], last = s->last[l];
    double v = next[l], beyond = s->beyond[l];
    v = k < last ? v : beyond;
    s->at[l] = k0;
    double umin = s->umin[l] + (v - vmin), umax = s->umax[l] + (v - vmax);
    double rises = umax > level ? 1.0 : 0.0, way = umin < -level ? -1.0 : rises;
    double to = way < 0 ? km : kp, value = way < 0 ? vmin : vmax;
    to = (way == 0 ? k : to) + 1;
    k0 = way == 0 ? k0 : to;
    double over = 1 / (to - k0 + 1), low = umin - level, high = umax + level;
    km = low >= 0 ? to : km;
    kp = high <= 0 ? to : kp;
    low = low > 0 ? low : 0;
    high = high < 0 ? high : 0;
    umin = umin > level ? level : umin;
    umax = umax < -level ? -level : umax;
    s->vmin[l] = vmin + low * over;
    s->vmax[l] = vmax + high * over;
    s->umin[l] = way == 0 ? umin : level;
    s->umax[l] = way == 0 ? umax : -level;
    s->km[l] = way == 0 ? km : to;
    s->kp[l] = way == 0 ? kp : to;
    s->into[l] = way == 0 ? into : way;
    s->put[l] = value;
    s->way[l] = way;
    s->k[l] = to;
    s->k0[l] = k0;
    past += to > s->limit[l] ? 1.0 : 0.0;
  }
  return past > 0;
}

/* Where to read next. */
static inline void locate(lanes *s) {
  _Pragma("omp simd") for (int l = 0; l < LANES; l++) {
    double k = s->k[l], next = k + 1, last = s->last[l];
    s->here[l] = (int32_t)(k < last ? k : last);
    s->ahead[l] = (int32_t)(next < last ? next : last);
  }
}

/* After a jump the new segment's bounds come from its first coordinate. */
static inline void reopen(lanes *s, double level, const double *here) {
  const double two = 2 * level;
  _Pragma("omp simd") for (int l = 0; l < LANES; l++) {
    double way = s->way[l], v = here[l], vmin = s->vmin[l], vmax = s->vmax[l];
    double low = way < 0 ? v : v - two, high = way < 0 ? v + two : v;
    s->vmin[l] = way == 0 ? vmin : low;
    s->vmax[l] = way == 0 ? vmax : high;
  }
}

static inline void fetch(const real *v, const int32_t *at, double *out) {
  _Pragma("omp simd") for (int l = 0; l < LANES; l++) out[l] = (double)v[at[l]];
}

void LAR_R(lar_tv_lanes)(const lar_tv_row *row, int64_t n, lar_tv_span *at) {
  race r = {.level = row->level, .base = at[0].begin, .span = at, .n = n, .live = LANES};
  lanes *s = &r.s;
  double value[LANES];
  r.v = (const real *)row->v + r.base;
  r.x = (real *)row->x + r.base;
  r.width = n < LANES ? (int)n : LANES;
  for (int l = 0; l < LANES; l++) take(&r, l);
  while (r.live > 0) {
    r.step++;
    fetch(r.v, s->ahead, value);
    bool past = advance(s, r.level, value);
    locate(s);
    fetch(r.v, s->here, value);
    reopen(s, r.level, value);
    for (int l = 0; l < r.width; l++) r.x[(int)s->at[l]] = (real)s->put[l];
    if (past) see_to(&r);
    if (r.step % WATCH == 0) watch(&r);
  }
}
