#include "core/real.h"
#include "op/map.h"

static inline real f(real x, real y, const double *p) { return x / y; }
LAR_MAP2(div, f)

static void vjp(lar_vjp *v) {
  lar_var *q = lar_div(v->s, v->g[0], v->x[1]);
  v->gx[0] = q;
  if (v->need[1]) v->gx[1] = lar_neg(v->s, lar_mul(v->s, q, v->y[0]));
}

LAR_ENTRY(op, div) = {
  .name = "div",
  .doc = "true quotient; integers become floats",
  .args = "xx",
  .nin = 2,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(div),
  .vjp = vjp,
};
