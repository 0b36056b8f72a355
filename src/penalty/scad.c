#include "core/real.h"

#define LAR_VALUE real
#include "penalty/separable.h"

typedef struct scad {
  double a;
} scad;

static const lar_param schema[] = {
  {"a", offsetof(scad, a), 3.7, 2.0 * (1 + 2.220446049250313e-16), HUGE_VAL,
   "the penalty is flat beyond a lambda; convex problems stay so where a - 1 > step"},
  {0},
};

/* l x, less the square of what bends off; NaN stays. */
static inline real value(const scad *p, real l, real w) {
  real a = (real)p->a, x = fabs(w), far = x > a * l ? a * l : x;
  real over = far - l > 0 ? far - l : 0;
  return l * far - over * over * (1 / (2 * a - 2));
}

static inline real slope(const scad *p, real l, real w) {
  real a = (real)p->a, s = (a * l - fabs(w)) * (1 / (a - 1));
  s = s > l ? l : s;
  return w == 0 || s <= 0 ? (real)0 : copysign(s, w);
}

/* Soft up to (1 + t) lambda, then a straight line to v = a lambda, then v itself. From step
 * a - 1 on the objective is concave on the line's stretch: soft thresholding or v, whichever
 * has less. */
static inline real shrink(const scad *p, real l, real v, real t) {
  real a = (real)p->a, x = fabs(v), soft = x <= t * l ? (real)0 : x - t * l;
  real line = ((a - 1) * x - t * a * l) * (1 / (a - 1 - t));
  real low = (1 + t) * l, high = a * l;
  bool hard = t >= a - 1;
  if (hard) low = high = t <= a + 1 ? l * (a + 1 + t) / 2 : l * sqrt(t) * sqrt(a + 1);
  real u = x <= low ? soft : x < high ? line : x;
  return copysign(u, v);
}

static inline double distance(const scad *p, double l, double w, double g) {
  return w == 0 ? fmax(fabs(g) - l, 0.0) : fabs(g + (double)slope(p, (real)l, (real)w));
}

static double at_max(const void *self, double g) { return fabs(g); }

LAR_SEPARABLE_LOOPS(scad, scad)

LAR_ENTRY(penalty, scad) = {
  .name = "scad",
  .doc = "smoothly clipped absolute deviation: as l1 near 0, constant for large weights",
  .source = "Fan & Li 2001, JASA 96(456), eq. 2.7; prox: Breheny & Huang 2011, Ann. Appl. "
            "Stat. 5(1), sec. 2.2",
  .formula = "sum_j int_0^|w_j| min(lambda, max(0, a lambda - x)/(a - 1)) dx",
  .params = schema,
  .size = sizeof(scad),
  .traits = LAR_SEPARABLE | LAR_ABSOLUTE | LAR_KNEE,
  .at_max1 = at_max,
  LAR_SEPARABLE_SLOTS(scad),
};
