#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return expm1(x); }
LAR_VMAP1(expm1, f)

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_mul(v->s, v->g[0], lar_affine(v->s, v->y[0], 1, 1));
}

LAR_ENTRY(op, expm1) = {
  .name = "expm1",
  .doc = "e to the x, less 1, exact for small x",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(expm1),
  .vjp = vjp,
};
