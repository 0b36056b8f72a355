/* The dynamic programme for a stretch of a row. */
#include <math.h>

#include "core/mem.h"
#include "core/real.h"
#include "penalty/tv.h"

/* Right of x the derivative of the message gains a x + b. */
typedef struct knot {
  double x, a, b;
} knot;

/* Knots at first..last, rising, with room on either side. */
typedef struct deque {
  knot *at;
  int64_t cap, first, last;
} deque;

enum { ROOM = 64 };

#if !defined(LAR_REAL_F32)
void lar_tv_clear(lar_tv_room *room) {
  lar_free(room->knots);
  lar_free(room->high);
  *room = (lar_tv_room){0};
}
#endif

/* Twice the room, what is there in its middle. */
static lar_status make_room(deque *q, lar_tv_room *room) {
  int64_t n = q->last - q->first + 1, cap = 4 * (n + ROOM), first = (cap - n) / 2;
  void *p;
  LAR_TRY(lar_alloc_raw(&p, (size_t)cap, sizeof(knot)));
  knot *at = p;
  for (int64_t i = 0; i < n; i++) at[first + i] = q->at[q->first + i];
  lar_free(room->knots);
  room->knots = p;
  room->knot_cap = (size_t)cap;
  *q = (deque){.at = at, .cap = cap, .first = first, .last = first + n - 1};
  return LAR_OK;
}

static lar_status begin(deque *q, lar_tv_room *room, int64_t n) {
  if (room->high_cap < (size_t)n) {
    lar_free(room->high);
    room->high_cap = 0;
    LAR_TRY(lar_alloc_raw(&room->high, (size_t)n, sizeof(real)));
    room->high_cap = (size_t)n;
  }
  int64_t cap = (int64_t)room->knot_cap;
  *q = (deque){.at = room->knots, .cap = cap, .first = cap / 2, .last = cap / 2 - 1};
  return cap > 0 ? LAR_OK : make_room(q, room);
}

/* Of the line a x + b on the far left, rising through the knots, the root of `level`. */
static inline double from_left(deque *q, double a, double b, double level, knot *out) {
  while (q->first <= q->last) {
    const knot *k = &q->at[q->first];
    if (a * k->x + b > level) break;
    a += k->a;
    b += k->b;
    q->first++;
  }
  *out = (knot){.x = (level - b) / a, .a = a, .b = b - level};
  return out->x;
}

static inline double from_right(deque *q, double a, double b, double level, knot *out) {
  while (q->first <= q->last) {
    const knot *k = &q->at[q->last];
    if (a * k->x + b < level) break;
    a -= k->a;
    b -= k->b;
    q->last--;
  }
  *out = (knot){.x = (level - b) / a, .a = -a, .b = level - b};
  return out->x;
}

/* The least of (x - v)^2 a / 2 plus messages; low and high bound it given the next one. Sums
 * are of distances from a number in the middle, so that long ones lose less. */
typedef struct chain {
  int64_t n;
  const real *v, *metric;
  real *low, *high; /* low becomes the result */
  double level, step, into, out, from;
} chain;

static inline double away(const chain *c, int64_t i) { return (double)c->v[i] - c->from; }

static inline double curvature(const chain *c, int64_t i) {
  return c->metric != NULL ? 1 / fmax(c->step * (double)c->metric[i], 1e-300) : 1;
}

/* Messages forwards; the last coordinate is then known. A jump into or out of the chain pulls
 * at its ends by a whole level. */
static lar_status forwards(const chain *c, deque *q, lar_tv_room *room) {
  double edge = 0, pull = c->level * c->into; /* edge: the message's slope beyond the knots */
  for (int64_t i = 0; i < c->n - 1; i++) {
    double a = curvature(c, i), b = pull - a * away(c, i);
    knot low, high;
    if (q->first <= 1 || q->last >= q->cap - 2) LAR_TRY(make_room(q, room));
    c->low[i] = (real)(c->from + from_left(q, a, b - edge, -c->level, &low));
    c->high[i] = (real)(c->from + from_right(q, a, b + edge, c->level, &high));
    q->at[--q->first] = low;
    q->at[++q->last] = high;
    edge = c->level;
    pull = 0;
  }
  knot end;
  double a = curvature(c, c->n - 1), b = pull - c->level * c->out;
  b -= a * away(c, c->n - 1);
  c->low[c->n - 1] = (real)(c->from + from_left(q, a, b - edge, 0, &end));
  return LAR_OK;
}

static void backwards(const chain *c) {
  real x = c->low[c->n - 1];
  for (int64_t i = c->n - 2; i >= 0; i--) {
    x = x > c->high[i] ? c->high[i] : x;
    x = x < c->low[i] ? c->low[i] : x;
    c->low[i] = x;
  }
}

/* No dual is beyond half of sum a |v - mean|, so from there on all is the mean; levels beyond
 * would only cost digits. */
bool LAR_R(lar_tv_flat)(const lar_tv_row *row) {
  chain c = {.n = row->n, .v = row->v, .metric = row->metric, .step = row->step};
  real *x = row->x;
  double under = 0, sum = 0, far = 0;
  c.from = c.n > 0 ? (double)c.v[c.n / 2] : 0;
  for (int64_t i = 0; i < c.n; i++) {
    double a = curvature(&c, i), d = away(&c, i);
    under += a;
    sum += a * d;
    far += a * fabs(d);
  }
  if (!(row->level >= far)) return false;
  for (int64_t i = 0; i < c.n; i++) x[i] = (real)(c.from + sum / under);
  return true;
}

lar_status LAR_R(lar_tv_solve)(const lar_tv_row *row, lar_tv_span of, lar_tv_room *room) {
  deque q;
  chain c = {.n = of.end - of.begin, .level = row->level, .step = row->step};
  c.v = (const real *)row->v + of.begin;
  c.low = (real *)row->x + of.begin;
  if (row->metric != NULL) c.metric = (const real *)row->metric + of.begin;
  c.into = of.into, c.out = of.out;
  if (c.n == 0) return LAR_OK;
  LAR_TRY(begin(&q, room, c.n));
  c.high = room->high;
  c.from = (double)c.v[c.n / 2];
  LAR_TRY(forwards(&c, &q, room));
  backwards(&c);
  return LAR_OK;
}
