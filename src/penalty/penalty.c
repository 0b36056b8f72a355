#include "penalty/penalty.h"

#include <string.h>

#include "core/par.h"

const lar_penalty *lar_penalty_find(const char *name) {
  for (const lar_penalty *const *p = lar_penalties; *p != NULL; p++)
    if (strcmp((*p)->name, name) == 0) return *p;
  return NULL;
}

bool lar_penalty_has_prox(const lar_penalty *p) {
  return p->prox != NULL || p->rows[0] != NULL;
}

/* ---- separable penalties on whole tensors ---- */

enum { GRAIN = 32768, PARTS = 256 };

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

lar_status lar_penalty_max(const lar_penalty *p, const lar_pen_at *at, const lar_tensor *g,
                           double *out) {
  const double *weight = at->weight != NULL ? lar_tensor_data(at->weight) : NULL;
  *out = 0;
  if (p->at_max != NULL) return p->at_max(at, g, out);
  if (p->at_max1 == NULL)
    return lar_fail(LAR_EARG, "%s has no lambda_max: %s", p->name,
                    (p->traits & LAR_CONSTRAINT) != 0
                      ? "it is a constraint"
                      : "no strength, or any, makes 0 stationary whatever the gradient");
  for (int64_t j = 0, n = lar_tensor_numel(g); j < n; j++) {
    double scale = weight != NULL ? weight[j] : 1, slope = lar_tensor_get(g, j);
    if (scale == 0) continue;
    double l = p->at_max1(at->self, slope) / scale;
    *out = l > *out || isnan(l) ? l : *out;
  }
  return LAR_OK;
}
