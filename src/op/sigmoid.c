#include "core/real.h"
#include "op/map.h"

/* exp only of what is not positive: no overflow, full precision on both sides. */
static inline real f(real x, const double *p) {
  real e = exp(-fabs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}
LAR_VMAP1(sigmoid, f)

static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *y = v->y[0];
  v->gx[0] = lar_mul(s, v->g[0], lar_sub(s, y, LAR_CALL1(s, square, y)));
}

LAR_ENTRY(op, sigmoid) = {
  .name = "sigmoid",
  .doc = "1 / (1 + exp(-x))",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(sigmoid),
  .vjp = vjp,
};
