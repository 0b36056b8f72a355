#include "core/real.h"
#include "op/map.h"

static inline real f(real g, real y, const double *p) { return g * (y - y * y); }
LAR_MAP2(sigmoid_slope, f)

static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  if (v->need[0]) v->gx[0] = LAR_CALL2(s, sigmoid_slope, v->g[0], v->x[1]);
  if (v->need[1])
    v->gx[1] = lar_mul(s, lar_mul(s, v->g[0], v->x[0]), lar_affine(s, v->x[1], -2, 1));
}

LAR_ENTRY(op, sigmoid_slope) = {
  .name = "sigmoid_slope",
  .doc = "g (y - y^2): the derivative of sigmoid by its value",
  .args = "xx",
  .nin = 2,
  .traits = LAR_OP_HIDDEN,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(sigmoid_slope),
  .vjp = vjp,
};
