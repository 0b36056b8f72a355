#include "core/number.h"
#include "op/map.h"

static const lar_param params[] = {
  {"alpha", LAR_AT(0), 1, -HUGE_VAL, HUGE_VAL, "factor of the second operand"},
  {0},
};

static inline real f(real x, real y, const double *p) {
  return (real)((lar_modular)x + (lar_modular)(real)p[0] * (lar_modular)y);
}
LAR_MAP2(add, f)

static void vjp(lar_vjp *v) {
  v->gx[0] = v->g[0];
  if (v->need[1])
    v->gx[1] = v->attr->f[0] == 1 ? v->g[0] : lar_affine(v->s, v->g[0], v->attr->f[0], 0);
}

LAR_ENTRY(op, add) = {
  .name = "add",
  .doc = "a + alpha b",
  .args = "xx",
  .params = params,
  .nin = 2,
  .traits = LAR_OP_LINEAR,
  .result = LAR_SAME,
  .map = LAR_MAPS(add),
  .vjp = vjp,
};
