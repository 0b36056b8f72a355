#include "core/number.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return x > 0 ? 1 : x < 0 ? -1 : x; }
LAR_MAP1(sign, f)

static void vjp(lar_vjp *v) { (void)v; /* zero almost everywhere */ }

LAR_ENTRY(op, sign) = {
  .name = "sign",
  .doc = "-1, 0 or 1; NaN stays",
  .args = "x",
  .nin = 1,
  .traits = LAR_OP_LINEAR,
  .result = LAR_SAME,
  .map = LAR_MAPS(sign),
  .vjp = vjp,
};
