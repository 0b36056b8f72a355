#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return tan(x); }
LAR_VMAP1(tan, f)

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_mul(v->s, v->g[0], lar_affine(v->s, lar_mul(v->s, v->y[0], v->y[0]), 1, 1));
}

LAR_ENTRY(op, tan) = {
  .name = "tan",
  .doc = "tangent of an angle in radians",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(tan),
  .vjp = vjp,
};
