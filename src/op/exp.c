#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return exp(x); }
LAR_VMAP1(exp, f)

static void vjp(lar_vjp *v) { v->gx[0] = lar_mul(v->s, v->g[0], v->y[0]); }

LAR_ENTRY(op, exp) = {
  .name = "exp",
  .doc = "e to the x",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(exp),
  .vjp = vjp,
};
