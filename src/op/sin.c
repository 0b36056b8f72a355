#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return sin(x); }
LAR_VMAP1(sin, f)

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_mul(v->s, v->g[0], LAR_CALL1(v->s, cos, v->x[0]));
}

LAR_ENTRY(op, sin) = {
  .name = "sin",
  .doc = "sine of an angle in radians",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(sin),
  .vjp = vjp,
};
