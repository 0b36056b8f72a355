#include "core/real.h"
#include "op/map.h"

/* Winitzki's formula, then Newton's steps on erfc, which keeps its digits near +-1. */
static double inverse(double x) {
  double a = fabs(x), t, y, rest;
  if (!(a < 1)) return a == 1 ? copysign(HUGE_VAL, x) : (double)NAN;
  rest = 1 - a;
  t = log(rest * (1 + a));
  y = 4.3307467508 + t / 2; /* 2 / (pi 0.147) */
  y = sqrt(sqrt(y * y - t / 0.147) - y);
  for (int k = 0; k < 4; k++) {
    double miss = a < 0.5 ? erf(y) - a : rest - erfc(y);
    double step = miss * 0.88622692545275801365 * exp(y * y);
    y -= step / (1 + y * step);
  }
  return copysign(y, x);
}

static inline real f(real x, const double *p) { return (real)inverse((double)x); }
LAR_MAP1(erfinv, f)

static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *bell = LAR_CALL1(s, exp, LAR_CALL1(s, square, v->y[0]));
  v->gx[0] = lar_mul(s, v->g[0], lar_affine(s, bell, 0.88622692545275801365, 0));
}

LAR_ENTRY(op, erfinv) = {
  .name = "erfinv",
  .doc = "inverse of erf on (-1, 1)",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(erfinv),
  .vjp = vjp,
};
