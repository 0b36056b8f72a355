#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return log(x); }
LAR_VMAP1(log, f)

static void vjp(lar_vjp *v) { v->gx[0] = lar_div(v->s, v->g[0], v->x[0]); }

LAR_ENTRY(op, log) = {
  .name = "log",
  .doc = "natural logarithm",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(log),
  .vjp = vjp,
};
