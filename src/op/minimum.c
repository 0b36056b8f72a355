#include "core/number.h"
#include "op/map.h"

static inline real f(real x, real y, const double *p) { return x < y ? x : y <= x ? y : x + y; }
LAR_MAP2(minimum, f)

static void vjp(lar_vjp *v) {
  lar_var *won = lar_cast(v->s, LAR_CALL2(v->s, lt, v->x[0], v->x[1]), v->y[0]->t.dtype);
  lar_var *tie = lar_cast(v->s, LAR_CALL2(v->s, eq, v->x[0], v->x[1]), v->y[0]->t.dtype);
  lar_var *share = lar_add(v->s, won, lar_affine(v->s, tie, 0.5, 0));
  v->gx[0] = lar_mul(v->s, v->g[0], share);
  v->gx[1] = lar_mul(v->s, v->g[0], lar_affine(v->s, share, -1, 1));
}

LAR_ENTRY(op, minimum) = {
  .name = "minimum",
  .doc = "smaller of two, NaN if either is; a tie shares its derivative",
  .args = "xx",
  .nin = 2,
  .result = LAR_SAME,
  .map = LAR_MAPS(minimum),
  .vjp = vjp,
};
