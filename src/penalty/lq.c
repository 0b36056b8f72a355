#include "core/real.h"
#include "penalty/separable.h"

typedef struct lq {
  double q;
} lq;

static const lar_param schema[] = {
  {"q", offsetof(lq, q), 0.5, LAR_ABOVE0, LAR_BELOW1, "exponent: 1/2 or 2/3"},
  {0},
};

static inline bool is_half(const lq *p) { return p->q == 0.5; }

static lar_status check(const void *self) {
  const lq *p = self;
  if (is_half(p) || fabs(p->q - 2.0 / 3) < 1e-9) return LAR_OK;
  return lar_fail(LAR_EARG, "lq: q = %g; the prox has a closed form for q = 1/2 and q = 2/3",
                  p->q);
}

static inline double power(const lq *p, double a) {
  if (is_half(p)) return sqrt(a);
  double root = cbrt(a);
  return root * root;
}

static inline double value(const lq *p, double l, double w) {
  return w == 0 ? 0 : l * power(p, fabs(w));
}

static inline real slope(const lq *p, real l, real w) {
  double a = fabs((double)w), q = is_half(p) ? 0.5 : 2.0 / 3;
  return w == 0 ? (real)0 : copysign((real)((double)l * q * power(p, a) / a), w);
}

/* The root of u - a + m/2 u^(-1/2), m = t l, by cosines (Xu et al. 2012, eq. 11). */
static inline double half(double a, double m) {
  const double third = 1.0471975511965976;
  double phi = acos(fmin(m / 4 * pow(a / 3, -1.5), 1.0));
  return 2.0 / 3 * a * (1 + cos(2 * third - 2.0 / 3 * phi));
}

/* That of u - a + 2m/3 u^(-1/3), from a quartic in u^(1/3) (Cao et al. 2013, eq. 10). */
static inline double two_thirds(double a, double m) {
  double x = 2 * m, phi = acosh(fmax(27 * a * a / (16 * x * sqrt(x)), 1.0));
  double b = 2 / sqrt(3.0) * sqrt(sqrt(x) * cosh(phi / 3));
  double root = (b + sqrt(fmax(2 * a / b - b * b, 0.0))) / 2;
  return root * root * root;
}

/* 0 up to where the other local minimum has the same objective; one step of Newton's method
 * takes off what the closed form lost to rounding. */
static inline real shrink(const lq *p, real l, real v, real t) {
  double a = fabs((double)v), m = (double)t * (double)l;
  double x = 2 * m, q = is_half(p) ? 0.5 : 2.0 / 3;
  double edge = is_half(p) ? 1.5 * cbrt(x * x / 4) : 2.0 / 3 * sqrt(sqrt(3 * x * x * x));
  if (m == 0) return v;
  if (a <= edge) return 0;
  double u = is_half(p) ? half(a, m) : two_thirds(a, m), pull = m * q * power(p, u) / u;
  u -= (u - a + pull) / (1 - (1 - q) * pull / u);
  return copysign((real)u, v);
}

/* At 0 every slope is a subgradient. */
static inline double distance(const lq *p, double l, double w, double g) {
  return w == 0 ? 0 : fabs(g + (double)slope(p, (real)l, (real)w));
}

LAR_SEPARABLE_LOOPS(lq, lq)

LAR_ENTRY(penalty, lq) = {
  .name = "lq",
  .doc = "powers below 1: between l0 and l1, with closed half and 2/3 thresholding",
  .source = "Xu et al. 2012, IEEE TNNLS 23(7), theorem 1; Cao, Sun & Xu 2013, J. Vis. Commun. "
            "Image R. 24(1)",
  .formula = "lambda sum_j |w_j|^q",
  .params = schema,
  .size = sizeof(lq),
  .traits = LAR_SEPARABLE | LAR_ABSOLUTE,
  .check = check,
  LAR_SEPARABLE_SLOTS(lq),
};
