#include "core/number.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return (real)(-(lar_modular)x); }
LAR_MAP1(neg, f)

static void vjp(lar_vjp *v) { v->gx[0] = lar_neg(v->s, v->g[0]); }

LAR_ENTRY(op, neg) = {
  .name = "neg",
  .doc = "-x",
  .args = "x",
  .nin = 1,
  .traits = LAR_OP_LINEAR,
  .result = LAR_SAME,
  .map = LAR_MAPS(neg),
  .vjp = vjp,
};
