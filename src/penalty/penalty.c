#include "penalty/penalty.h"

#include <string.h>

#include "core/interrupt.h"
#include "core/par.h"
#include "kern/copy.h"
#include "penalty/compose.h"

const lar_penalty *lar_penalty_find(const char *name) {
  for (const lar_penalty *const *p = lar_penalties; *p != NULL; p++)
    if (strcmp((*p)->name, name) == 0) return *p;
  return NULL;
}

bool lar_penalty_has_prox(const lar_penalty *p) {
  return p->prox != NULL || p->rows[0] != NULL;
}

/* ---- separable penalties on whole tensors ---- */

enum { GRAIN = 16384, PARTS = 256 };

typedef struct job {
  const lar_pen_rows *rows;
  const lar_pen_at *at;
  void *w, *g;
  const void *metric;
  double step, *part;
  int64_t grain;
} job;

static const lar_pen_rows *rows_of(const lar_penalty *p, const lar_tensor *w) {
  return p->rows[w->dtype == LAR_F64];
}

static void value_part(void *ctx, int64_t begin, int64_t end) {
  const job *j = ctx;
  j->part[begin / j->grain] = j->rows->value(j->at, j->w, begin, end);
}

static void grad_part(void *ctx, int64_t begin, int64_t end) {
  const job *j = ctx;
  j->rows->grad(j->at, j->w, j->g, begin, end);
}

static void prox_part(void *ctx, int64_t begin, int64_t end) {
  const job *j = ctx;
  j->rows->prox(j->at, j->w, j->step, j->metric, begin, end);
}

/* Partial sums are few, of chunks that depend on the size alone, and added in order. */
lar_status lar_penalty_value(const lar_penalty *p, const lar_pen_at *at, const lar_tensor *w,
                             double *out) {
  *out = 0;
  if (p->value != NULL) return p->value(at, w, out);
  double part[PARTS];
  int64_t n = lar_tensor_numel(w), grain = (n + PARTS - 1) / PARTS;
  if (n == 0) return LAR_OK;
  if (grain < GRAIN) grain = GRAIN;
  job j = {.rows = rows_of(p, w), .at = at, .w = lar_tensor_data(w), .part = part};
  j.grain = grain;
  lar_par_for(n, grain, value_part, &j);
  for (int64_t k = 0; k * grain < n; k++) *out += part[k];
  return LAR_OK;
}

lar_status lar_penalty_grad(const lar_penalty *p, const lar_pen_at *at, const lar_tensor *w,
                            const lar_tensor *g) {
  if (p->grad != NULL) return p->grad(at, w, g);
  job j = {.rows = rows_of(p, w), .at = at, .w = lar_tensor_data(w), .g = lar_tensor_data(g)};
  lar_par_for(lar_tensor_numel(w), GRAIN, grad_part, &j);
  return LAR_OK;
}

lar_status lar_penalty_prox(const lar_penalty *p, const lar_pen_at *at, const lar_tensor *w,
                            double step, const lar_tensor *metric) {
  if (p->prox != NULL) return p->prox(at, w, step, metric);
  job j = {.rows = rows_of(p, w), .at = at, .w = lar_tensor_data(w), .step = step};
  j.metric = metric != NULL ? lar_tensor_data(metric) : NULL;
  lar_par_for(lar_tensor_numel(w), GRAIN, prox_part, &j);
  return LAR_OK;
}

/* ---- lambda_max ---- */

static double dot(const lar_tensor *a, const lar_tensor *b) {
  const double *x = lar_tensor_data(a), *y = lar_tensor_data(b);
  double sum = 0;
  for (int64_t j = 0, n = lar_tensor_numel(a); j < n; j++) sum += x[j] * y[j];
  return sum;
}

static lar_status centre(const lar_penalty *p, lar_pen_at *at, const lar_tensor *v,
                         const lar_tensor *u) {
  if (p->centre != NULL) return p->centre(at, v);
  at->l = 1e100;
  LAR_TRY(lar_copy(u, v));
  LAR_TRY(p->prox(at, u, 1, NULL));
  lar_axpy(-1, u, v);
  return LAR_OK;
}

/* max over u of <v, u> / Omega(u) by Dinkelbach's method: for a ratio l the best u of those
 * with |u| <= 1 is along prox_l(v), and its ratio is the next l, until the prox is 0. The
 * ratio of any u is a lower bound, and the sequence rises faster than any geometric one. */
static lar_status ratio(const lar_penalty *p, lar_pen_at *at, const lar_tensor *v,
                        const lar_tensor *u, double *out) {
  enum { ROUNDS = 100 };
  const double tiny = 1e-100;
  LAR_TRY(centre(p, at, v, u));
  double l = 0;
  for (int round = 0; round < ROUNDS; round++) {
    double size = 0;
    if (lar_interrupt_pending()) return lar_fail(LAR_EINTR, "lambda_max: interrupted");
    at->l = l;
    LAR_TRY(lar_copy(u, v));
    if (l > 0) LAR_TRY(p->prox(at, u, 1, NULL));
    at->l = 1;
    LAR_TRY(p->value(at, u, &size));
    double next = size > 0 ? dot(v, u) / size : 0;
    if (size == HUGE_VAL && l == 0) next = tiny; /* v has what is excluded, its prox has not */
    if (!(next > l * (1 + 1e-15))) break;
    l = next;
  }
  *out = l > tiny ? l : 0;
  return LAR_OK;
}

static lar_status dual_norm(const lar_penalty *p, const lar_pen_at *at, const lar_tensor *g,
                            double *out) {
  lar_tensor v = {0}, u = {0};
  lar_pen_at with = *at;
  lar_status st = lar_clone(&v, g, LAR_F64);
  if (st == LAR_OK) st = lar_clone(&u, g, LAR_F64);
  if (st == LAR_OK) st = ratio(p, &with, &v, &u, out);
  lar_tensor_clear(&v);
  lar_tensor_clear(&u);
  return st;
}

static double separable_max(const lar_penalty *p, const lar_pen_at *at, const lar_tensor *g) {
  const double *weight = at->weight != NULL ? lar_tensor_data(at->weight) : NULL;
  double most = 0;
  for (int64_t j = 0, n = lar_tensor_numel(g); j < n; j++) {
    double scale = weight != NULL ? weight[j] : 1, slope = lar_tensor_get(g, j);
    if (scale == 0) continue;
    double l = p->at_max1(at->self, slope) / scale;
    most = l > most || isnan(l) ? l : most;
  }
  return most;
}

lar_status lar_penalty_max(const lar_penalty *p, const lar_pen_at *at, const lar_tensor *g,
                           double *out) {
  double sum = 0;
  *out = 0;
  if (p->at_max == NULL && p->at_max1 == NULL && !(p->traits & LAR_NORM))
    return lar_fail(LAR_EARG, "%s has no lambda_max: %s", p->name,
                    (p->traits & LAR_CONSTRAINT) != 0
                      ? "it is a constraint"
                      : "no strength, or any, makes 0 stationary whatever the gradient");
  for (int64_t j = 0, n = lar_tensor_numel(g); j < n; j++) sum += lar_tensor_get(g, j) * 0;
  if (sum != 0)
    *out = (double)NAN;
  else if (p->at_max1 != NULL)
    *out = separable_max(p, at, g);
  else
    return p->at_max != NULL ? p->at_max(at, g, out) : dual_norm(p, at, g, out);
  return LAR_OK;
}
