#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return floor(x); }
LAR_MAP1(floor, f)

static void vjp(lar_vjp *v) { (void)v; /* zero almost everywhere */ }

LAR_ENTRY(op, floor) = {
  .name = "floor",
  .doc = "largest whole number not above x",
  .args = "x",
  .nin = 1,
  .traits = LAR_OP_LINEAR,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(floor),
  .vjp = vjp,
};
