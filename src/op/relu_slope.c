#include "core/real.h"
#include "op/map.h"

static inline real f(real g, real x, const double *p) { return x > 0 ? g : 0; }
LAR_MAP2(relu_slope, f)

static void vjp(lar_vjp *v) {
  if (v->need[0]) v->gx[0] = LAR_CALL2(v->s, relu_slope, v->g[0], v->x[1]);
}

LAR_ENTRY(op, relu_slope) = {
  .name = "relu_slope",
  .doc = "g where x > 0, else 0: the derivative of relu",
  .args = "xx",
  .nin = 2,
  .traits = LAR_OP_HIDDEN,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(relu_slope),
  .vjp = vjp,
};
