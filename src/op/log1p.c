#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return log1p(x); }
LAR_VMAP1(log1p, f)

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_div(v->s, v->g[0], lar_affine(v->s, v->x[0], 1, 1));
}

LAR_ENTRY(op, log1p) = {
  .name = "log1p",
  .doc = "log(1 + x), exact for small x",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(log1p),
  .vjp = vjp,
};
