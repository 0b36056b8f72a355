/* Proportional hazards: minus the logarithm of Cox's partial likelihood. Rows are sorted once,
 * latest first, and cut into spans of one time, events before the censored; sums over those
 * at risk then take one pass down the spans, and what a row has of all earlier events one
 * pass up. */
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

/* Rows order[begin..end) share one time; the first `events` of them are events. */
typedef struct span {
  int64_t begin, end, events;
  double weight; /* of the events */
} span;

typedef struct sorted {
  int64_t n, rows; /* spans, rows with a weight */
  int64_t *order;
  span *at;
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
  lar_free(s);
  r->extra = NULL;
}

static void cut(sorted *s, const lar_rows *r, const item *x) {
  for (int64_t k = 0; k < s->rows; k++) {
    s->order[k] = x[k].row;
    if (k == 0 || x[k].time != x[k - 1].time) s->at[s->n++] = (span){.begin = k};
    span *now = &s->at[s->n - 1];
    now->end = k + 1;
    if (x[k].late) continue;
    now->events++;
    now->weight += r->w[x[k].row];
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

/* Of a span with events: sums of w exp(eta - top) over those at risk, and over its events. */
typedef struct risk {
  double all, events;
} risk;

static double highest(const sorted *s, const double *eta) {
  double top = -HUGE_VAL;
  for (int64_t k = 0; k < s->rows; k++) top = fmax(top, eta[s->order[k]]);
  return top;
}

/* In Efron's account the l-th of d events at one time sees (1 - l / d) of the others. */
static double seen(const cox *p, const span *t, int64_t l) {
  return p->ties == BRESLOW ? 1 : 1 - (double)l / (double)t->events;
}

static risk at_risk(const lar_rows *r, const double *eta, double top, const span *t,
                    double before) {
  const sorted *s = r->extra;
  risk at = {before, 0};
  for (int64_t k = t->begin; k < t->end; k++) {
    double e = r->w[s->order[k]] * exp(eta[s->order[k]] - top);
    at.all += e;
    if (k < t->begin + t->events) at.events += e;
  }
  return at;
}

static lar_status value(const void *self, const lar_rows *r, const double *eta, double *out) {
  const sorted *s = r->extra;
  const double top = highest(s, eta);
  double sum = 0, all = 0;
  for (int64_t g = 0; g < s->n; g++) {
    const span *t = &s->at[g];
    risk at = at_risk(r, eta, top, t, all);
    all = at.all;
    for (int64_t k = t->begin; k < t->begin + t->events; k++)
      sum -= r->w[s->order[k]] * (eta[s->order[k]] - top);
    if (((const cox *)self)->ties == BRESLOW && t->events > 0) sum += t->weight * log(at.all);
    if (((const cox *)self)->ties == BRESLOW) continue;
    for (int64_t l = 0; l < t->events; l++)
      sum +=
        t->weight / (double)t->events * log(at.all - (double)l / (double)t->events * at.events);
  }
  *out = sum;
  return LAR_OK;
}

/* ---- one pass up ---- */

/* Sums over earlier events of D / S and D / S^2; what a span's own events add: to those who
 * live on, and to the events themselves. */
typedef struct sums {
  double a, b;
} sums;

static void add_events(const cox *p, const span *t, risk at, sums *others, sums *own) {
  *others = *own = (sums){0};
  if (p->ties == BRESLOW) {
    if (t->events > 0) *others = (sums){t->weight / at.all, t->weight / (at.all * at.all)};
    *own = *others;
    return;
  }
  double each = t->weight / (double)(t->events > 0 ? t->events : 1);
  for (int64_t l = 0; l < t->events; l++) {
    double share = seen(p, t, l), total = at.all - (1 - share) * at.events;
    others->a += each / total;
    others->b += each / (total * total);
    own->a += each * share / total;
    own->b += each * share * share / (total * total);
  }
}

static void pass_up(const cox *p, const lar_rows *r, const double *eta, double top,
                    const risk *at, double *g, double *h) {
  const sorted *s = r->extra;
  sums before = {0};
  for (int64_t q = s->n - 1; q >= 0; q--) {
    const span *t = &s->at[q];
    sums others, own;
    add_events(p, t, at[q], &others, &own);
    for (int64_t k = t->begin; k < t->end; k++) {
      int64_t i = s->order[k];
      bool event = k < t->begin + t->events;
      double e = r->w[i] * exp(eta[i] - top);
      double a = before.a + (event ? own.a : others.a),
             b = before.b + (event ? own.b : others.b);
      if (g != NULL) g[i] = e * a - (event ? r->w[i] : 0);
      if (h != NULL) h[i] = fmax(e * (a - e * b), 0);
    }
    before.a += others.a;
    before.b += others.b;
  }
}

static lar_status slopes(const void *self, const lar_rows *r, const double *eta, double *g,
                         double *h) {
  const sorted *s = r->extra;
  const double top = highest(s, eta);
  void *p;
  double all = 0;
  LAR_TRY(lar_alloc_raw(&p, (size_t)s->n + 1, sizeof(risk)));
  risk *at = p;
  for (int64_t q = 0; q < s->n; q++) {
    at[q] = at_risk(r, eta, top, &s->at[q], all);
    all = at[q].all;
  }
  for (int64_t i = 0; i < r->n; i++) {
    if (g != NULL) g[i] = 0;
    if (h != NULL) h[i] = 0;
  }
  pass_up(self, r, eta, top, at, g, h);
  lar_free(p);
  return LAR_OK;
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
  .saturated = saturated,
  .response = response,
};
