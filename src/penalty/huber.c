#include "core/real.h"
#include "penalty/separable.h"

typedef struct hub {
  double delta;
} hub;

static const lar_param schema[] = {
  {"delta", offsetof(hub, delta), 1.0, LAR_ABOVE0, HUGE_VAL, "where the square turns straight"},
  {0},
};

static inline double value(const hub *p, double l, double w) {
  double a = fabs(w), d = p->delta;
  return l * (a > d ? d * (a - d / 2) : a * a / 2);
}

static inline real slope(const hub *p, real l, real w) {
  real d = (real)p->delta;
  return l * (w > d ? d : w < -d ? -d : w);
}

static inline real shrink(const hub *p, real l, real v, real t) {
  real tl = t * l, edge = (real)p->delta * (1 + tl);
  return fabs(v) > edge ? v - copysign(tl * (real)p->delta, v) : v / (1 + tl);
}

static inline double distance(const hub *p, double l, double w, double g) {
  return fabs(g + (double)slope(p, (real)l, (real)w));
}

LAR_SEPARABLE_LOOPS(huber, hub)

LAR_ENTRY(penalty, huber) = {
  .name = "huber",
  .doc = "square near 0, absolute value beyond delta: small weights, large ones allowed",
  .source = "Huber 1964, Ann. Math. Statist. 35(1)",
  .formula = "lambda sum_j (w_j^2/2 where |w_j| <= delta, else delta (|w_j| - delta/2))",
  .params = schema,
  .size = sizeof(hub),
  .traits = LAR_CONVEX | LAR_SEPARABLE | LAR_SMOOTH,
  LAR_SEPARABLE_SLOTS(huber),
};
