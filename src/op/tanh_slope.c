#include "core/real.h"
#include "op/map.h"

static inline real f(real g, real y, const double *p) { return g * (1 - y * y); }
LAR_MAP2(tanh_slope, f)

static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  if (v->need[0]) v->gx[0] = LAR_CALL2(s, tanh_slope, v->g[0], v->x[1]);
  if (v->need[1])
    v->gx[1] = lar_mul(s, lar_mul(s, v->g[0], v->x[0]), lar_affine(s, v->x[1], -2, 0));
}

LAR_ENTRY(op, tanh_slope) = {
  .name = "tanh_slope",
  .doc = "g (1 - y^2): the derivative of tanh by its value",
  .args = "xx",
  .nin = 2,
  .traits = LAR_OP_HIDDEN,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(tanh_slope),
  .vjp = vjp,
};
