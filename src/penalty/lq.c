#include "core/vecmath.h"

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

static inline double half_value(const lq *p, double l, double w) { return l * sqrt(fabs(w)); }

static inline double cube_value(const lq *p, double l, double w) {
  double root = cbrt(fabs(w));
  return l * root * root;
}

static inline real half_slope(const lq *p, real l, real w) {
  real s = l / 2 / sqrt(fabs(w));
  return w == 0 ? (real)0 : copysign(s, w);
}

static inline real cube_slope(const lq *p, real l, real w) {
  real s = l * 2 / 3 / cbrt(fabs(w));
  return w == 0 ? (real)0 : copysign(s, w);
}

/* u/a for the root of u - a + m/2 u^(-1/2) beyond u = 2/3 a, x = m / a^(3/2): the square of the
 * greatest root of y - y^3 = c. A polynomial is within 1e-4 of it, and Newton's method squares
 * that. */
static inline real half_left(real x) {
  const real one = 1, c = x / 2,
             k[] = {(real)0.99997, (real)-0.49486, (real)-0.51697, (real)0.77145,
                    (real)-4.7349};
  real y = k[0] + c * (k[1] + c * (k[2] + c * (k[3] + c * k[4])));
  y -= (y * (y * y - one) + c) / (3 * y * y - one);
  y -= (y * (y * y - one) + c) / (3 * y * y - one);
  return y * y;
}

/* u/a for that of u - a + 2m/3 u^(-1/3) beyond u = a/2, x = m / a^(4/3): the cube of that of y
 * - y^4 = c. */
static inline real cube_left(real x) {
  const real one = 1, c = x * 2 / 3,
             k[] = {(real)0.99988, (real)-0.31886, (real)-0.49225, (real)1.3591, (real)-3.4921};
  real y = k[0] + c * (k[1] + c * (k[2] + c * (k[3] + c * k[4])));
  y -= (y * (y * y * y - one) + c) / (4 * y * y * y - one);
  y -= (y * (y * y * y - one) + c) / (4 * y * y * y - one);
  y -= (y * (y * y * y - one) + c) / (4 * y * y * y - one);
  return y * y * y;
}

/* 0 up to where the other local minimum has the same objective: Xu et al., theorem 1, and Cao
 * et al., eq. 10, to the third and the fourth power, with v as the unit of length. */
static inline real half_shrink(const lq *p, real l, real v, real t) {
  real a = fabs(v), m = t * l, x = m / (a * sqrt(a)), u = a * half_left(x);
  u = 27 * x * x >= 8 ? 0 : u;
  return m == 0 ? v : copysign(u, v);
}

static inline real cube_shrink(const lq *p, real l, real v, real t) {
  real a = fabs(v), m = t * l, x = m / (a * cbrt(a)), u = a * cube_left(x);
  u = 128 * x * x * x >= 27 ? 0 : u;
  return m == 0 ? v : copysign(u, v);
}

/* ---- which of them ---- */

LAR_PEN_HEAD(lq)
LAR_PEN_VALUE_AS(half_values, lq, half_value)
LAR_PEN_VALUE_AS(cube_values, lq, cube_value)
LAR_PEN_GRAD_AS(half_grads, lq, half_slope)
LAR_PEN_GRAD_AS(cube_grads, lq, cube_slope)
LAR_PEN_PROX_AS(half_proxes, lq, half_shrink)
LAR_PEN_PROX_AS(cube_proxes, lq, cube_shrink)

static double value_rows(const lar_pen_at *at, const void *w, int64_t begin, int64_t end) {
  return (is_half(at->self) ? half_values : cube_values)(at, w, begin, end);
}

static void grad_rows(const lar_pen_at *at, const void *w, void *g, int64_t begin,
                      int64_t end) {
  (is_half(at->self) ? half_grads : cube_grads)(at, w, g, begin, end);
}

static void prox_rows(const lar_pen_at *at, void *w, double step, const void *metric,
                      int64_t begin, int64_t end) {
  (is_half(at->self) ? half_proxes : cube_proxes)(at, w, step, metric, begin, end);
}

#if !defined(LAR_REAL_F32)
static double value(const lq *p, double l, double w) {
  return (is_half(p) ? half_value : cube_value)(p, l, w);
}

static double slope(const lq *p, double l, double w) {
  return (is_half(p) ? half_slope : cube_slope)(p, l, w);
}

static double shrink(const lq *p, double l, double v, double t) {
  return (is_half(p) ? half_shrink : cube_shrink)(p, l, v, t);
}

/* At 0 every slope is a subgradient. */
static double distance(const lq *p, double l, double w, double g) {
  return w == 0 ? 0 : fabs(g + slope(p, l, w));
}
#endif
LAR_PEN_SCALARS(lq)

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
