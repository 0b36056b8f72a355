#include "core/real.h"
#include "penalty/separable.h"

typedef struct cube {
  double radius;
} cube;

static const lar_param schema[] = {
  {"radius", offsetof(cube, radius), 1.0, LAR_ABOVE0, HUGE_VAL, "greatest magnitude"},
  {0},
};

static inline double value(const cube *p, double l, double w) {
  return fabs(w) > p->radius * (1 + LAR_SLACK) ? HUGE_VAL : w - w;
}

static inline real slope(const cube *p, real l, real w) { return 0; }

static inline real shrink(const cube *p, real l, real v, real t) {
  real r = (real)p->radius;
  return v < -r ? -r : v > r ? r : v;
}

static inline double distance(const cube *p, double l, double w, double g) {
  if (fabs(w) > p->radius) return HUGE_VAL;
  return fabs(w) == p->radius && g * w < 0 ? 0 : fabs(g);
}

LAR_SEPARABLE_LOOPS(linf_ball, cube)

static void simple(const void *self, double l, lar_simple *out) {
  double r = ((const cube *)self)->radius;
  *out = (lar_simple){.lo = -r, .hi = r};
}

LAR_ENTRY(penalty, linf_ball) = {
  .name = "linf_ball",
  .doc = "no magnitude above radius",
  .source = "projection by coordinates: Bertsekas 1999, Nonlinear Programming, 2.3",
  .formula = "|w|_inf <= radius",
  .params = schema,
  .size = sizeof(cube),
  .traits = LAR_CONVEX | LAR_SEPARABLE | LAR_CONSTRAINT,
  .simple = simple,
  LAR_SEPARABLE_SLOTS(linf_ball),
};
