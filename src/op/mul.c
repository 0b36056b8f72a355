#include "core/number.h"
#include "op/map.h"

static inline real f(real x, real y, const double *p) {
  return (real)((lar_modular)x * (lar_modular)y);
}
LAR_MAP2(mul, f)

static void vjp(lar_vjp *v) {
  if (v->need[0]) v->gx[0] = lar_mul(v->s, v->g[0], v->x[1]);
  if (v->need[1]) v->gx[1] = lar_mul(v->s, v->g[0], v->x[0]);
}

LAR_ENTRY(op, mul) = {
  .name = "mul",
  .doc = "product, element by element",
  .args = "xx",
  .nin = 2,
  .result = LAR_SAME,
  .map = LAR_MAPS(mul),
  .vjp = vjp,
};
