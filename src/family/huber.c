#include "family/each.h"

typedef struct huber {
  double delta;
} huber;

static const lar_param params[] = {
  {"delta", offsetof(huber, delta), 1, LAR_ABOVE0, HUGE_VAL, "where squares become lines"},
  {0}};

static inline double loss(const huber *p, double y, double eta) {
  double d = fabs(eta - y);
  return d <= p->delta ? d * d / 2 : p->delta * (d - p->delta / 2);
}

static inline void turn(const huber *p, double y, double eta, double *d1, double *d2) {
  double d = eta - y;
  *d2 = fabs(d) <= p->delta;
  *d1 = *d2 != 0 ? d : copysign(p->delta, d);
}

LAR_EACH_LOOPS(huber)

static lar_status ready(const void *self, lar_rows *r) { return lar_each_finite("huber", r); }

static double bound(const void *self) { return 1; }

static void stretch(const void *self, const lar_rows *r, double *low, double *high) {
  const double delta = ((const huber *)self)->delta;
  for (int64_t i = 0; i < r->n; i++) low[i] = r->y[i] - delta, high[i] = r->y[i] + delta;
}

/* u y + u^2 / (2 w) where |u| <= delta w. */
static double conjugate(const void *self, const lar_rows *r, const double *u) {
  const double delta = ((const huber *)self)->delta;
  double sum = 0;
  for (int64_t i = 0; i < r->n; i++) {
    if (r->w[i] == 0) continue;
    if (fabs(u[i]) > delta * r->w[i] * (1 + 1e-12)) return HUGE_VAL;
    sum += u[i] * (r->y[i] + u[i] / (2 * r->w[i]));
  }
  return sum;
}

LAR_ENTRY(family, huber) = {
  .name = "huber",
  .doc = "d^2 / 2 where |d| <= delta, delta (|d| - delta / 2) elsewhere, d = eta - y",
  .source = "Huber 1964, Ann. Math. Statist. 35(1)",
  .params = params,
  .size = sizeof(huber),
  .traits = LAR_FAM_CONVEX,
  .ready = ready,
  .value = value_of,
  .slopes = slopes_of,
  .bound = bound,
  .stretch = stretch,
  .conjugate = conjugate,
  .saturated = zero_of,
  .response = predict_eta,
};
