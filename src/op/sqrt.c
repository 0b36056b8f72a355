#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return sqrt(x); }
LAR_MAP1(sqrt, f)

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_div(v->s, v->g[0], lar_affine(v->s, v->y[0], 2, 0));
}

LAR_ENTRY(op, sqrt) = {
  .name = "sqrt",
  .doc = "square root",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(sqrt),
  .vjp = vjp,
};
