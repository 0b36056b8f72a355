#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return trunc(x); }
LAR_MAP1(trunc, f)

static void vjp(lar_vjp *v) { (void)v; /* zero almost everywhere */ }

LAR_ENTRY(op, trunc) = {
  .name = "trunc",
  .doc = "whole part, towards 0",
  .args = "x",
  .nin = 1,
  .traits = LAR_OP_LINEAR,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(trunc),
  .vjp = vjp,
};
