/* Proportional hazards: minus the logarithm of Cox's partial likelihood. Rows are sorted once,
 * latest first, and cut into spans of one time, events before the censored; sums over those
 * at risk then take one pass down the spans, and what a row has of all earlier events one
 * pass up. Sums are kept in units of exp(top), top being the highest predictor so far, so that
 * nothing overflows and no sum is 0. */
#include <stdlib.h>

#include "core/mem.h"
#include "core/vecmath.h"
#include "family/family.h"

typedef struct cox {
  double ties;
} cox;

enum { BRESLOW, EFRON };

static const lar_param params[] = {{"ties", offsetof(cox, ties), BRESLOW, 0, 1,
                                    "how events at one time count", LAR_CHOICE,
                                    "breslow|efron"},
                                   {0}};

/* Rows begin .. end (sorted) share one time; the first `events` of them are events. */
typedef struct span {
  int64_t begin, end, events;
  double weight;   /* of the events */
  double top;      /* the highest predictor of those at risk */
  double all, own; /* sums of w exp(eta - top): those at risk, the events here */
  double drop;     /* exp of the former span's top minus this one's */
} span;

typedef struct sorted {
  int64_t n, rows, terms; /* spans, rows with a weight, logarithms in the sum */
  int64_t *order;
  span *at;
  double *w, *x, *e; /* by sorted row: weight, predictor, w exp(eta - top of its span) */
} sorted;

typedef struct item {
  double time;
  int64_t row, late; /* late: censored */
} item;

static int falls(const void *a, const void *b) {
  const item *x = a, *y = b;
  if (x->time != y->time) return x->time > y->time ? -1 : 1;
  if (x->late != y->late) return x->late < y->late ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

static void unready(lar_rows *r) {
  sorted *s = r->extra;
  if (s == NULL) return;
  lar_free(s->order);
  lar_free(s->at);
  lar_free(s->w);
  lar_free(s);
  r->extra = NULL;
}

static void cut(sorted *s, const lar_rows *r, const item *x) {
  for (int64_t k = 0; k < s->rows; k++) {
    s->order[k] = x[k].row;
    s->w[k] = r->w[x[k].row];
    if (k == 0 || x[k].time != x[k - 1].time) s->at[s->n++] = (span){.begin = k};
    span *now = &s->at[s->n - 1];
    now->end = k + 1;
    if (x[k].late) continue;
    now->events++;
    now->weight += s->w[k];
  }
}

static lar_status sort_rows(lar_rows *r) {
  void *p, *made = NULL;
  lar_status st = LAR_OK;
  LAR_TRY(lar_alloc(&p, 1, sizeof(sorted)));
  sorted *s = r->extra = p;
  LAR_GO(lar_alloc(&made, (size_t)r->n + 1, sizeof(item)));
  LAR_GO(lar_alloc(&p, (size_t)r->n + 1, sizeof *s->order));
  s->order = p;
  LAR_GO(lar_alloc(&p, (size_t)r->n + 1, sizeof *s->at));
  s->at = p;
  LAR_GO(lar_alloc(&p, 3 * (size_t)r->n + 1, sizeof(double)));
  s->w = p, s->x = s->w + r->n, s->e = s->x + r->n;
  item *x = made;
  for (int64_t i = 0; i < r->n; i++)
    if (r->w[i] > 0)
      x[s->rows++] = (item){.time = r->y[i], .row = i, .late = r->status[i] == 0};
  qsort(x, (size_t)s->rows, sizeof *x, falls);
  cut(s, r, x);
done:
  lar_free(made);
  if (st != LAR_OK) unready(r);
  return st;
}

static lar_status ready(const void *self, lar_rows *r) {
  bool any = false;
  r->extra = NULL;
  if (r->status == NULL)
    return lar_fail(LAR_EARG, "cox: y needs two columns, the time and the status (1 event, "
                              "0 censored)");
  for (int64_t i = 0; i < r->n; i++) {
    if (r->w[i] == 0) continue;
    if (!isfinite(r->y[i]))
      return lar_fail(LAR_EARG, "cox: the time is %g in row %lld; it must be finite", r->y[i],
                      (long long)i + 1);
    if (r->status[i] != 0 && r->status[i] != 1)
      return lar_fail(LAR_EARG,
                      "cox: the status is %g in row %lld; it is 1 (event) or 0 "
                      "(censored)",
                      r->status[i], (long long)i + 1);
    any = any || r->status[i] == 1;
  }
  if (!any) return lar_fail(LAR_EARG, "cox: every row is censored; there must be an event");
  return sort_rows(r);
}

/* ---- one pass down ---- */

/* In Efron's account the l-th of d events at one time sees (1 - l / d) of the others. */
static double seen(const cox *p, const span *t, int64_t l) {
  return p->ties == BRESLOW ? 1 : 1 - (double)l / (double)t->events;
}

/* Logarithms in the sum of a span, each of this weight. */
static int64_t terms(const cox *p, const span *t) {
  return p->ties == BRESLOW ? t->events > 0 : t->events;
}
static double each(const cox *p, const span *t) { return t->weight / (double)terms(p, t); }

/* Those at risk: x, e, and all of the spans that depends on eta. */
static void weigh(const lar_rows *r, const double *eta) {
  sorted *s = r->extra;
  double top = -HUGE_VAL, before = 0;
  for (int64_t k = 0; k < s->rows; k++) s->x[k] = eta[s->order[k]];
  for (int64_t q = 0; q < s->n; q++) {
    span *t = &s->at[q];
    double former = top;
    for (int64_t k = t->begin; k < t->end; k++) top = s->x[k] > top ? s->x[k] : top;
    for (int64_t k = t->begin; k < t->end; k++) s->e[k] = s->x[k] - top;
    t->drop = former == top ? 1 : exp(former - top);
    t->top = top;
  }
#pragma omp simd
  for (int64_t k = 0; k < s->rows; k++) s->e[k] = s->w[k] * exp(s->e[k]);
  for (int64_t q = 0; q < s->n; q++) {
    span *t = &s->at[q];
    t->all = before * t->drop, t->own = 0;
    for (int64_t k = t->begin; k < t->begin + t->events; k++) t->own += s->e[k];
    for (int64_t k = t->begin + t->events; k < t->end; k++) t->all += s->e[k];
    before = t->all += t->own;
  }
}

static lar_status value(const void *self, const lar_rows *r, const double *eta, double *out) {
  const sorted *s = r->extra;
  double sum = 0;
  weigh(r, eta);
  for (int64_t q = 0; q < s->n; q++) {
    const span *t = &s->at[q];
    for (int64_t k = t->begin; k < t->begin + t->events; k++)
      sum -= s->w[k] * (s->x[k] - t->top);
    for (int64_t l = 0; l < terms(self, t); l++)
      sum += each(self, t) * log(t->all - (1 - seen(self, t, l)) * t->own);
  }
  *out = sum;
  return LAR_OK;
}

/* ---- one pass up ---- */

/* Sums over earlier events of D / S and D / S^2, in units of exp(-top). */
typedef struct sums {
  double a, b;
} sums;

/* What a span's own events add: to those who live on, and to the events themselves. */
static void add_events(const cox *p, const span *t, sums *others, sums *own) {
  *others = *own = (sums){0};
  for (int64_t l = 0; l < terms(p, t); l++) {
    double share = seen(p, t, l), total = t->all - (1 - share) * t->own;
    double one = each(p, t) / total;
    others->a += one;
    others->b += one / total;
    own->a += one * share;
    own->b += one / total * share * share;
  }
}

/* g, and the diagonal of the second derivative: with what rows have in common taken off, or
 * (whole) without. */
static void pass_up(const cox *p, const lar_rows *r, bool whole, double *g, double *h) {
  const sorted *s = r->extra;
  sums before = {0};
  for (int64_t q = s->n - 1; q >= 0; q--) {
    const span *t = &s->at[q];
    sums others, own;
    add_events(p, t, &others, &own);
    for (int64_t k = t->begin; k < t->end; k++) {
      bool event = k < t->begin + t->events;
      double a = s->e[k] * (before.a + (event ? own.a : others.a));
      double b = s->e[k] * s->e[k] * (before.b + (event ? own.b : others.b));
      if (g != NULL) g[s->order[k]] = a - (event ? s->w[k] : 0);
      if (h != NULL) h[s->order[k]] = whole ? a : fmax(a - b, 0);
    }
    before.a = (before.a + others.a) * t->drop;
    before.b = (before.b + others.b) * t->drop * t->drop;
  }
}

static void clear(double *v, int64_t n) {
  for (int64_t i = 0; v != NULL && i < n; i++) v[i] = 0;
}

static lar_status slopes(const void *self, const lar_rows *r, const double *eta, double *g,
                         double *h) {
  weigh(r, eta);
  clear(g, r->n);
  clear(h, r->n);
  pass_up(self, r, false, g, h);
  return LAR_OK;
}

/* ---- the second derivative ---- */

/* A logarithm of weight D and shares pi of those at risk adds D (diag(pi) - pi pi'). */
static int64_t joint(const void *self, const lar_rows *r, double *d) {
  const sorted *s = r->extra;
  int64_t n = 0;
  clear(d, r->n);
  if (d != NULL) pass_up(self, r, true, NULL, d);
  for (int64_t q = 0; q < s->n; q++) n += terms(self, &s->at[q]);
  return n;
}

static void mix(const void *self, const lar_rows *r, const double *v, double *out) {
  const sorted *s = r->extra;
  double sum = 0;
  for (int64_t q = 0; q < s->n; q++) {
    const span *t = &s->at[q];
    double own = 0;
    sum *= t->drop;
    for (int64_t k = t->begin; k < t->end; k++) {
      double one = s->e[k] * v[s->order[k]];
      sum += one;
      if (k < t->begin + t->events) own += one;
    }
    for (int64_t l = 0; l < terms(self, t); l++) {
      double hidden = 1 - seen(self, t, l);
      *out++ = sqrt(each(self, t)) * (sum - hidden * own) / (t->all - hidden * t->own);
    }
  }
}

/* Of that diagonal, which is g + w [event]. */
static double heaviest(const void *self, const lar_rows *r, const double *u, double share) {
  double most = 0;
  for (int64_t i = 0; i < r->n; i++)
    if (r->w[i] > 0) most = fmax(most, share * u[i] + (r->status[i] == 1 ? r->w[i] : 0));
  return most;
}

/* ---- the conjugate ---- */

/* With v = u + w [event], the supremum is where v = w exp(eta) a, a being the sum over earlier
 * events of D / S. What is left of v after a time, less what is left of D, is m = a S there:
 * all else follows, span by span, earliest first. */
typedef struct state {
  double m, s; /* s: the logarithm of S */
} state;

/* own and others: S times what a span adds to a, where `part` of those at risk are its events.
 */
static void shares(const cox *p, const span *t, double part, double *own, double *others) {
  *own = *others = 0;
  for (int64_t l = 0; l < terms(p, t); l++) {
    double share = seen(p, t, l), one = each(p, t) / (1 - (1 - share) * part);
    *others += one;
    *own += one * share;
  }
}

/* The part of those at risk that the events are: part (m + own(part)) = v. */
static double part_of(const cox *p, const span *t, double m, double v) {
  enum { HALVES = 100 };
  double own, others, low = 0, high = 1;
  if (p->ties == BRESLOW || t->events == 0) return 0; /* which does not matter */
  for (int k = 0; k < HALVES && high - low > 1e-17 + 1e-16 * high; k++) {
    double mid = (low + high) / 2;
    shares(p, t, mid, &own, &others);
    *(mid * (m + own) < v ? &low : &high) = mid;
  }
  return (low + high) / 2;
}

/* v log(v / w) of a row, or HUGE_VAL. */
static double entropy(double v, double w) {
  if (v < -1e-12 * w) return HUGE_VAL;
  return v > 0 ? v * log(v / w) : 0;
}

static double add_span(const cox *p, const lar_rows *r, const span *t, const double *u,
                       state *z) {
  const sorted *s = r->extra;
  double sum = 0, of[2] = {0}, own, others;
  for (int64_t k = t->begin; k < t->end; k++) {
    bool event = k < t->begin + t->events;
    double v = u[s->order[k]] + (event ? s->w[k] : 0);
    sum += entropy(v, s->w[k]);
    of[event] += fmax(v, 0);
  }
  double part = part_of(p, t, z->m, of[1]);
  shares(p, t, part, &own, &others);
  for (int64_t l = 0; l < terms(p, t); l++)
    sum -= each(p, t) * (z->s + log(1 - (1 - seen(p, t, l)) * part));
  double after = z->m + others, left = z->m + t->weight - of[0] - of[1];
  if (after > 0) sum -= of[0] * (log(after) - z->s);
  if (z->m + own > 0) sum -= of[1] * (log(z->m + own) - z->s);
  if (left < -1e-12) return HUGE_VAL;
  *z = left > 0 ? (state){left, z->s + log(left / after)} : (state){0};
  return sum;
}

static double conjugate(const void *self, const lar_rows *r, const double *u) {
  const sorted *s = r->extra;
  double sum = 0;
  state z = {0};
  for (int64_t q = s->n - 1; q >= 0; q--) sum += add_span(self, r, &s->at[q], u, &z);
  return fabs(z.m) <= 1e-9 ? sum : HUGE_VAL;
}

/* Where the events of every time are alike and far above all others at risk. */
static double saturated(const void *self, const lar_rows *r) {
  const sorted *s = r->extra;
  double sum = 0;
  for (int64_t q = 0; q < s->n; q++) {
    const span *t = &s->at[q];
    for (int64_t l = 0; l < t->events; l++)
      sum += t->weight / (double)t->events * log(t->weight * seen(self, t, l));
  }
  return sum;
}

static double bound(const void *self) { return HUGE_VAL; }

static void response(const void *self, int64_t n, int64_t k, const double *eta, double *out) {
  for (int64_t i = 0; i < n * k; i++) out[i] = exp(eta[i]);
}

LAR_ENTRY(family, cox) = {
  .name = "cox",
  .doc = "minus the log partial likelihood of times and events; predicts relative risks",
  .source = "Cox 1972, JRSS B 34(2); ties: Breslow 1974, Biometrics 30(1); Efron 1977, JASA "
            "72(359); slopes: Simon et al. 2011, J. Stat. Softw. 39(5)",
  .params = params,
  .size = sizeof(cox),
  .traits = LAR_FAM_CONVEX | LAR_FAM_JOINT | LAR_FAM_SHIFTS,
  .ready = ready,
  .unready = unready,
  .value = value,
  .slopes = slopes,
  .bound = bound,
  .joint = joint,
  .mix = mix,
  .heaviest = heaviest,
  .conjugate = conjugate,
  .saturated = saturated,
  .response = response,
};
