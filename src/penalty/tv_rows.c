/* Total variation of rows, for each dtype. */
#include <math.h>

#include "core/mem.h"
#include "core/real.h"
#include "penalty/penalty.h"
#include "penalty/tv.h"

void LAR_R(lar_tv_values)(void *job, int64_t begin, int64_t end) {
  lar_tv_job *j = job;
  double sum = 0;
  for (int64_t k = begin; k < end; k++) {
    const real *w = (const real *)j->w + k * j->n;
    double row = 0;
    _Pragma("omp simd reduction(+ : row)") for (int64_t i = 1; i < j->n; i++) row +=
      fabs((double)w[i] - (double)w[i - 1]);
    sum += row;
  }
  if (j->n == 1) /* no differences, but NaN is NaN */
    for (int64_t k = begin; k < end; k++) sum += (double)(((const real *)j->w)[k] * 0);
  j->part[begin / j->grain] = sum;
}

void LAR_R(lar_tv_grads)(void *job, int64_t begin, int64_t end) {
  const lar_tv_job *j = job;
  const real l = (real)j->l;
  for (int64_t k = begin; k < end; k++) {
    const real *w = (const real *)j->w + k * j->n;
    real *g = (real *)j->g + k * j->n;
    for (int64_t i = 1; i < j->n; i++) {
      real s = w[i] > w[i - 1] ? l : w[i] < w[i - 1] ? -l : 0;
      g[i] += s;
      g[i - 1] -= s;
    }
  }
}

/* ---- the dynamic programme ---- */

/* Right of x the derivative of the message gains a x + b. */
typedef struct knot {
  double x, a, b;
} knot;

/* Knots at first..last, rising, with room on either side. */
typedef struct deque {
  knot *at;
  int64_t cap, first, last;
} deque;

static lar_status make_room(deque *q) {
  int64_t n = q->last - q->first + 1, cap = 4 * (n + 16);
  void *p;
  LAR_TRY(lar_alloc_raw(&p, (size_t)cap, sizeof(knot)));
  knot *at = p;
  int64_t first = (cap - n) / 2;
  for (int64_t i = 0; i < n; i++) at[first + i] = q->at[q->first + i];
  lar_free(q->at);
  *q = (deque){.at = at, .cap = cap, .first = first, .last = first + n - 1};
  return LAR_OK;
}

/* Of the line a x + b on the far left, rising through the knots, the root of `level`. */
static double from_left(deque *q, double a, double b, double level, knot *out) {
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

static double from_right(deque *q, double a, double b, double level, knot *out) {
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

/* The least of (x - v)^2 a / 2 plus messages; low and high bound it given the next one. */
typedef struct row {
  int64_t n;
  real *w; /* numbers in; low bounds; numbers out */
  real *high;
  const real *metric;
  double level, step;
} row;

static double curvature(const row *r, int64_t i) {
  return r->metric != NULL ? 1 / fmax(r->step * (double)r->metric[i], 1e-300) : 1;
}

/* Messages forwards; the last coordinate is then known. */
static lar_status forwards(const row *r, deque *q) {
  double edge = 0; /* the message's slope beyond the knots */
  q->first = q->cap / 2;
  q->last = q->first - 1;
  for (int64_t i = 0; i < r->n - 1; i++) {
    double a = curvature(r, i), b = -a * (double)r->w[i];
    knot low, high;
    if (q->first <= 1 || q->last >= q->cap - 2) LAR_TRY(make_room(q));
    r->w[i] = (real)from_left(q, a, b - edge, -r->level, &low);
    r->high[i] = (real)from_right(q, a, b + edge, r->level, &high);
    q->at[--q->first] = low;
    q->at[++q->last] = high;
    edge = r->level;
  }
  knot end;
  double a = curvature(r, r->n - 1);
  r->w[r->n - 1] = (real)from_left(q, a, -a * (double)r->w[r->n - 1] - edge, 0, &end);
  return LAR_OK;
}

static void backwards(const row *r) {
  real x = r->w[r->n - 1];
  for (int64_t i = r->n - 2; i >= 0; i--) {
    x = x > r->high[i] ? r->high[i] : x;
    x = x < r->w[i] ? r->w[i] : x;
    r->w[i] = x;
  }
}

static bool all_finite(int64_t n, const real *w) {
  real sum = 0;
  _Pragma("omp simd reduction(+ : sum)") for (int64_t i = 0; i < n; i++) sum += w[i] * 0;
  return sum == 0;
}

static lar_status prox_row(const row *r, deque *q, double soft) {
  if (!all_finite(r->n, r->w)) {
    for (int64_t i = 0; i < r->n; i++) r->w[i] = (real)NAN;
    return LAR_OK;
  }
  if (r->level > 0 && r->n > 1) {
    LAR_TRY(forwards(r, q));
    backwards(r);
  }
  for (int64_t i = 0; soft > 0 && i < r->n; i++)
    r->w[i] = (real)lar_soft((double)r->w[i], soft);
  return LAR_OK;
}

void LAR_R(lar_tv_proxes)(void *job, int64_t begin, int64_t end) {
  lar_tv_job *j = job;
  deque q = {.last = -1};
  void *high = NULL;
  lar_status st = lar_alloc_raw(&high, (size_t)j->n, sizeof(real));
  if (st == LAR_OK) st = make_room(&q);
  for (int64_t k = begin; k < end && st == LAR_OK; k++) {
    row r = {.n = j->n, .w = (real *)j->w + k * j->n, .high = high, .step = j->step};
    if (j->metric != NULL) r.metric = (const real *)j->metric + k * j->n;
    r.level = j->metric != NULL ? j->l : j->l * j->step;
    st = prox_row(&r, &q, j->soft);
  }
  if (st != LAR_OK) j->starved = 1;
  lar_free(high);
  lar_free(q.at);
}
