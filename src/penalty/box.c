#include "core/real.h"
#include "penalty/separable.h"

typedef struct box {
  double lo, hi;
} box;

static const lar_param schema[] = {
  {"lo", offsetof(box, lo), -1.0, -HUGE_VAL, HUGE_VAL, "least value"},
  {"hi", offsetof(box, hi), 1.0, -HUGE_VAL, HUGE_VAL, "greatest value"},
  {0},
};

static lar_status check(const void *self) {
  const box *p = self;
  return p->lo <= p->hi ? LAR_OK
                        : lar_fail(LAR_EARG, "box: lo = %g is above hi = %g", p->lo, p->hi);
}

static inline double value(const box *p, double l, double w) {
  double lo = p->lo - LAR_SLACK * fabs(p->lo), hi = p->hi + LAR_SLACK * fabs(p->hi);
  return w < lo || w > hi ? HUGE_VAL : w - w;
}

static inline real slope(const box *p, real l, real w) { return 0; }

static inline real shrink(const box *p, real l, real v, real t) {
  real lo = (real)p->lo, hi = (real)p->hi;
  return v < lo ? lo : v > hi ? hi : v;
}

/* The subdifferential is {0} inside, a half-line outwards at a bound. */
static inline double distance(const box *p, double l, double w, double g) {
  if (w < p->lo || w > p->hi) return HUGE_VAL;
  if (w == p->lo && w == p->hi) return 0;
  if (w == p->lo) return g > 0 ? 0 : -g;
  return w == p->hi && g < 0 ? 0 : fabs(g);
}

LAR_SEPARABLE_LOOPS(box, box)

static void simple(const void *self, double l, lar_simple *out) {
  const box *p = self;
  *out = (lar_simple){.lo = p->lo, .hi = p->hi};
}

LAR_ENTRY(penalty, box) = {
  .name = "box",
  .doc = "every coordinate within bounds",
  .source = "projection by coordinates: Bertsekas 1999, Nonlinear Programming, 2.3",
  .formula = "lo <= w <= hi",
  .params = schema,
  .size = sizeof(box),
  .traits = LAR_CONVEX | LAR_SEPARABLE | LAR_CONSTRAINT,
  .check = check,
  .simple = simple,
  LAR_SEPARABLE_SLOTS(box),
};
