#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return rint(x); }
LAR_MAP1(round, f)

static void vjp(lar_vjp *v) { (void)v; /* zero almost everywhere */ }

LAR_ENTRY(op, round) = {
  .name = "round",
  .doc = "nearest whole number, ties to even",
  .args = "x",
  .nin = 1,
  .traits = LAR_OP_LINEAR,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(round),
  .vjp = vjp,
};
