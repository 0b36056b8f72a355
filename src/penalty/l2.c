#include "core/real.h"
#include "penalty/separable.h"

typedef struct none {
  char unused;
} none;

static inline double value(const none *p, double l, double w) { return l * w * w / 2; }

static inline real slope(const none *p, real l, real w) { return l * w; }

static inline real shrink(const none *p, real l, real v, real t) { return v / (1 + t * l); }

static inline double distance(const none *p, double l, double w, double g) {
  return fabs(g + l * w);
}

LAR_SEPARABLE_LOOPS(l2, none)

static void simple(const void *p, double l, lar_simple *out) {
  *out = (lar_simple){.b = l, .lo = -HUGE_VAL, .hi = HUGE_VAL};
}

LAR_ENTRY(penalty, l2) = {
  .name = "l2",
  .doc = "half the sum of squares: small weights, ridge, weight decay",
  .source = "Hoerl & Kennard 1970, Technometrics 12(1)",
  .formula = "lambda/2 |w|^2",
  .size = sizeof(none),
  .traits = LAR_CONVEX | LAR_SEPARABLE | LAR_SMOOTH,
  .simple = simple,
  LAR_SEPARABLE_SLOTS(l2),
};
