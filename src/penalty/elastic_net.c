#include "core/real.h"
#include "penalty/separable.h"

typedef struct enet {
  double r;
} enet;

static const lar_param schema[] = {
  {"l1_ratio", offsetof(enet, r), 0.5, 0.0, 1.0, "share of the absolute value"},
  {0},
};

static inline double value(const enet *p, double l, double w) {
  return l * (p->r * fabs(w) + (1 - p->r) / 2 * w * w);
}

static inline real slope(const enet *p, real l, real w) {
  real r = (real)p->r;
  return l * ((1 - r) * w + (w == 0 ? (real)0 : copysign(r, w)));
}

static inline real shrink(const enet *p, real l, real v, real t) {
  real r = (real)p->r;
  return lar_soft_real(v, t * l * r) * (1 / (1 + t * l * (1 - r)));
}

static inline double distance(const enet *p, double l, double w, double g) {
  return lar_kink(w, g + l * (1 - p->r) * w, l * p->r);
}

LAR_SEPARABLE_LOOPS(elastic_net, enet)

static double at_max(const void *self, double g) {
  return g == 0 ? 0 : fabs(g) / ((const enet *)self)->r;
}

static void simple(const void *p, double l, lar_simple *out) {
  double r = ((const enet *)p)->r;
  *out = (lar_simple){.a = l * r, .b = l * (1 - r), .lo = -HUGE_VAL, .hi = HUGE_VAL};
}

LAR_ENTRY(penalty, elastic_net) = {
  .name = "elastic_net",
  .doc = "absolute value and half the square mixed: zeros, and groups of alike inputs kept",
  .source = "Zou & Hastie 2005, JRSS B 67(2); mixed as in Friedman et al. 2010, JSS 33(1)",
  .formula = "lambda (l1_ratio |w|_1 + (1 - l1_ratio)/2 |w|^2)",
  .params = schema,
  .size = sizeof(enet),
  .traits = LAR_CONVEX | LAR_SEPARABLE,
  .simple = simple,
  .at_max1 = at_max,
  LAR_SEPARABLE_SLOTS(elastic_net),
};
