#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return tanh(x); }
LAR_VMAP1(tanh, f)

static void vjp(lar_vjp *v) { v->gx[0] = LAR_CALL2(v->s, tanh_slope, v->g[0], v->y[0]); }

LAR_ENTRY(op, tanh) = {
  .name = "tanh",
  .doc = "hyperbolic tangent",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(tanh),
  .vjp = vjp,
};
