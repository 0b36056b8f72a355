#include "core/number.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return x > 0 ? 1 : 0; }
LAR_MAP1(step, f)

static void vjp(lar_vjp *v) { (void)v; /* zero almost everywhere */ }

LAR_ENTRY(op, step) = {
  .name = "step",
  .doc = "1 where x > 0, else 0, in x's dtype",
  .args = "x",
  .nin = 1,
  .traits = LAR_OP_LINEAR | LAR_OP_HIDDEN,
  .result = LAR_SAME,
  .map = LAR_MAPS(step),
  .vjp = vjp,
};
