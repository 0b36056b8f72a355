/* How far minus a gradient is from the subdifferential of a regulariser. */
#include "kern/copy.h"
#include "penalty/bound.h"

/* Coordinate by coordinate, exactly; what an infinite weight holds at 0 may have any slope. */
static double separable(const lar_part *p, const lar_tensor *w, const lar_tensor *g) {
  const double *weight = p->at.weight != NULL ? lar_tensor_data(p->at.weight) : NULL;
  const double *x = lar_tensor_data(w), *slope = lar_tensor_data(g);
  double sum = 0;
  for (int64_t j = 0, n = lar_tensor_numel(w); j < n; j++) {
    double l = p->at.l * (weight != NULL ? weight[j] : 1), d = 0;
    if (l == HUGE_VAL)
      d = x[j] == 0 ? 0 : HUGE_VAL;
    else
      d = p->term->type->subdist1(p->at.self, l, x[j], slope[j]);
    sum += d * d;
  }
  return sqrt(sum);
}

static double largest(const lar_tensor *t) {
  const double *x = lar_tensor_data(t);
  double most = 0;
  for (int64_t j = 0, n = lar_tensor_numel(t); j < n; j++)
    most = fabs(x[j]) > most ? fabs(x[j]) : most;
  return most;
}

static double apart(const lar_tensor *a, const lar_tensor *b) {
  const double *x = lar_tensor_data(a), *y = lar_tensor_data(b);
  double sum = 0;
  for (int64_t j = 0, n = lar_tensor_numel(a); j < n; j++) sum += (x[j] - y[j]) * (x[j] - y[j]);
  return sqrt(sum);
}

/* (w - prox_t(w - t d)) / t tends to the shortest of d + subgradients as t falls to 0; t is
 * small against w, and not so small that the accuracy of the prox shows. */
static lar_status by_prox(lar_bound *b, int i, const lar_tensor *w, const lar_tensor *d,
                          double *out) {
  double scale = largest(w), t = lar_bound_prox_may_fail(b) ? 1e-4 : 1e-6;
  t *= (scale > 0 ? scale : 1) / fmax(1, largest(d));
  const lar_tensor *u = &b->params->at[i].var->t;
  lar_axpy(-t, d, u);
  LAR_TRY(lar_bound_prox(b, i, t, NULL));
  *out = apart(w, u) / t;
  return LAR_OK;
}

static bool is_separable(const lar_part *p) {
  return p->term->type != NULL && p->term->type->subdist1 != NULL;
}

static lar_status distance(lar_bound *b, int i, const lar_tensor *w, const lar_tensor *d,
                           double *out) {
  lar_part part[LAR_MAX_PARTS];
  double value;
  LAR_TRY(lar_bound_values(b, NULL, &value));
  if (!(value < HUGE_VAL)) {
    *out = value;
    return LAR_OK;
  }
  if (lar_bound_parts(b, i, part) == 1 && is_separable(&part[0])) {
    *out = separable(&part[0], w, d);
    return LAR_OK;
  }
  LAR_TRY(lar_bound_composes(b));
  LAR_TRY(lar_bound_grad(b, i, d));
  if (lar_bound_has_prox(b, i)) return by_prox(b, i, w, d, out);
  lar_tensor zero = {0};
  LAR_TRY(lar_tensor_zeros(&zero, LAR_F64, d->ndim, d->shape));
  *out = apart(d, &zero);
  lar_tensor_clear(&zero);
  return LAR_OK;
}

lar_status lar_bound_distance(lar_bound *b, int i, const lar_tensor *g, double *out) {
  lar_tensor w = {0}, d = {0};
  lar_status st = lar_clone(&w, &b->params->at[i].var->t, LAR_F64);
  if (st == LAR_OK) st = lar_clone(&d, g, LAR_F64);
  if (st == LAR_OK) st = distance(b, i, &w, &d, out);
  lar_tensor_clear(&w);
  lar_tensor_clear(&d);
  return st;
}
