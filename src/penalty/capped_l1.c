#include "core/real.h"
#include "penalty/separable.h"

typedef struct capped {
  double theta;
} capped;

static const lar_param schema[] = {
  {"theta", offsetof(capped, theta), 1.0, LAR_ABOVE0, HUGE_VAL,
   "weights beyond it cost no more"},
  {0},
};

static inline double value(const capped *p, double l, double w) {
  return l * (fabs(w) > p->theta ? p->theta : fabs(w));
}

static inline real slope(const capped *p, real l, real w) {
  return w == 0 || fabs(w) >= (real)p->theta ? (real)0 : copysign(l, w);
}

/* Soft thresholding below theta or v beyond it; this is where their objectives cross. */
static inline real shrink(const capped *p, real l, real v, real t) {
  real theta = (real)p->theta, a = fabs(v), tl = t * l;
  real cross = tl < 2 * theta ? theta + tl / 2 : sqrt(2 * theta) * sqrt(tl);
  return a > cross ? v : lar_soft_real(v, tl);
}

/* At theta both slopes are limits of gradients. */
static inline double distance(const capped *p, double l, double w, double g) {
  double inner = lar_kink(w, g, l);
  if (fabs(w) < p->theta) return inner;
  return fabs(w) > p->theta ? fabs(g) : fmin(inner, fabs(g));
}

static double at_max(const void *self, double g) { return fabs(g); }

LAR_SEPARABLE_LOOPS(capped_l1, capped)

LAR_ENTRY(penalty, capped_l1) = {
  .name = "capped_l1",
  .doc = "absolute value up to theta: large weights are not shrunk at all",
  .source = "Zhang 2010, JMLR 11, sec. 2; prox: Gong et al. 2013, ICML",
  .formula = "lambda sum_j min(|w_j|, theta)",
  .params = schema,
  .size = sizeof(capped),
  .traits = LAR_SEPARABLE | LAR_ABSOLUTE,
  .at_max1 = at_max,
  LAR_SEPARABLE_SLOTS(capped_l1),
};
