#include "core/number.h"
#include "op/map.h"

static inline real f(real x, const double *p) {
  return (real)((lar_modular)x * (lar_modular)x);
}
LAR_MAP1(square, f)

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_mul(v->s, v->g[0], lar_affine(v->s, v->x[0], 2, 0));
}

LAR_ENTRY(op, square) = {
  .name = "square",
  .doc = "x times x",
  .args = "x",
  .nin = 1,
  .result = LAR_SAME,
  .map = LAR_MAPS(square),
  .vjp = vjp,
};
