#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return ceil(x); }
LAR_MAP1(ceil, f)

static void vjp(lar_vjp *v) { (void)v; /* zero almost everywhere */ }

LAR_ENTRY(op, ceil) = {
  .name = "ceil",
  .doc = "smallest whole number not below x",
  .args = "x",
  .nin = 1,
  .traits = LAR_OP_LINEAR,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(ceil),
  .vjp = vjp,
};
