#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return cosh(x); }
LAR_VMAP1(cosh, f)

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_mul(v->s, v->g[0], LAR_CALL1(v->s, sinh, v->x[0]));
}

LAR_ENTRY(op, cosh) = {
  .name = "cosh",
  .doc = "hyperbolic cosine",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(cosh),
  .vjp = vjp,
};
