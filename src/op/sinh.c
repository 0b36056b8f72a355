#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return sinh(x); }
LAR_VMAP1(sinh, f)

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_mul(v->s, v->g[0], LAR_CALL1(v->s, cosh, v->x[0]));
}

LAR_ENTRY(op, sinh) = {
  .name = "sinh",
  .doc = "hyperbolic sine",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(sinh),
  .vjp = vjp,
};
