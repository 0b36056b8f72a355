#include "core/real.h"
#include "penalty/separable.h"

typedef struct none {
  char unused;
} none;

static inline double value(const none *p, double l, double w) { return l * fabs(w); }

static inline real slope(const none *p, real l, real w) {
  return w == 0 ? (real)0 : copysign(l, w);
}

static inline real shrink(const none *p, real l, real v, real t) {
  return lar_soft_real(v, t * l);
}

static inline double distance(const none *p, double l, double w, double g) {
  return lar_kink(w, g, l);
}

LAR_SEPARABLE_LOOPS(l1, none)

static double at_max(const void *self, double g) { return fabs(g); }

static void simple(const void *p, double l, lar_simple *out) {
  *out = (lar_simple){.a = l, .lo = -HUGE_VAL, .hi = HUGE_VAL};
}

LAR_ENTRY(penalty, l1) = {
  .name = "l1",
  .doc = "absolute value: exact zeros, the lasso's penalty",
  .source = "Tibshirani 1996, JRSS B 58(1); prox: Donoho & Johnstone 1994, Biometrika 81(3)",
  .formula = "lambda |w|_1",
  .size = sizeof(none),
  .traits = LAR_CONVEX | LAR_SEPARABLE,
  .simple = simple,
  .at_max1 = at_max,
  LAR_SEPARABLE_SLOTS(l1),
};
