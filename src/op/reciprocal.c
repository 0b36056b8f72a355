#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return 1 / x; }
LAR_MAP1(reciprocal, f)

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_neg(v->s, lar_mul(v->s, v->g[0], lar_mul(v->s, v->y[0], v->y[0])));
}

LAR_ENTRY(op, reciprocal) = {
  .name = "reciprocal",
  .doc = "1 / x",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(reciprocal),
  .vjp = vjp,
};
