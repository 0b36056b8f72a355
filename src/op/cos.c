#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return cos(x); }
LAR_VMAP1(cos, f)

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_neg(v->s, lar_mul(v->s, v->g[0], LAR_CALL1(v->s, sin, v->x[0])));
}

LAR_ENTRY(op, cos) = {
  .name = "cos",
  .doc = "cosine of an angle in radians",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(cos),
  .vjp = vjp,
};
