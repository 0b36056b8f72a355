#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return atan(x); }
LAR_VMAP1(atan, f)

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_div(v->s, v->g[0], lar_affine(v->s, lar_mul(v->s, v->x[0], v->x[0]), 1, 1));
}

LAR_ENTRY(op, atan) = {
  .name = "atan",
  .doc = "arc tangent, in radians",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(atan),
  .vjp = vjp,
};
