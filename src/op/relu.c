#include "core/number.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return x > 0 ? x : x <= 0 ? 0 : x; }
LAR_MAP1(relu, f)

static void vjp(lar_vjp *v) { v->gx[0] = LAR_CALL2(v->s, relu_slope, v->g[0], v->x[0]); }

LAR_ENTRY(op, relu) = {
  .name = "relu",
  .doc = "max(x, 0); derivative 0 at 0; NaN stays",
  .args = "x",
  .nin = 1,
  .result = LAR_SAME,
  .map = LAR_MAPS(relu),
  .vjp = vjp,
};
