#include "core/real.h"
#include "op/map.h"

/* exp only of what is not positive: no overflow, full precision on both sides. */
static inline real f(real x, const double *p) {
  real e = exp(-fabs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}
LAR_VMAP1(sigmoid, f)

static void vjp(lar_vjp *v) { v->gx[0] = LAR_CALL2(v->s, sigmoid_slope, v->g[0], v->y[0]); }

LAR_ENTRY(op, sigmoid) = {
  .name = "sigmoid",
  .doc = "1 / (1 + exp(-x))",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(sigmoid),
  .vjp = vjp,
};
