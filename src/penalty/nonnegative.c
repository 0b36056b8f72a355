#include "core/real.h"
#include "penalty/separable.h"

typedef struct none {
  char unused;
} none;

static inline double value(const none *p, double l, double w) {
  return w < 0 ? HUGE_VAL : 0 * w;
}

static inline real slope(const none *p, real l, real w) { return 0; }

static inline real shrink(const none *p, real l, real v, real t) { return v < 0 ? (real)0 : v; }

static inline double distance(const none *p, double l, double w, double g) {
  if (w < 0) return HUGE_VAL;
  return w == 0 && g > 0 ? 0 : fabs(g);
}

LAR_SEPARABLE_LOOPS(nonnegative, none)

static void simple(const void *p, double l, lar_simple *out) {
  *out = (lar_simple){.lo = 0, .hi = HUGE_VAL};
}

LAR_ENTRY(penalty, nonnegative) = {
  .name = "nonnegative",
  .doc = "no coordinate below 0",
  .source = "Lawson & Hanson 1974, Solving Least Squares Problems, ch. 23",
  .formula = "w >= 0",
  .size = sizeof(none),
  .traits = LAR_CONVEX | LAR_SEPARABLE | LAR_CONSTRAINT,
  .simple = simple,
  LAR_SEPARABLE_SLOTS(nonnegative),
};
