#include "core/real.h"
#include "op/map.h"

static inline real f(real x, real y, const double *p) { return atan2(x, y); }
LAR_VMAP2(atan2, f)

static void vjp(lar_vjp *v) {
  lar_var *r2 = lar_add(v->s, lar_mul(v->s, v->x[0], v->x[0]), lar_mul(v->s, v->x[1], v->x[1]));
  lar_var *q = lar_div(v->s, v->g[0], r2);
  v->gx[0] = lar_mul(v->s, q, v->x[1]);
  v->gx[1] = lar_neg(v->s, lar_mul(v->s, q, v->x[0]));
}

LAR_ENTRY(op, atan2) = {
  .name = "atan2",
  .doc = "angle of the point (y, x), in radians",
  .args = "xx",
  .nin = 2,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(atan2),
  .vjp = vjp,
};
