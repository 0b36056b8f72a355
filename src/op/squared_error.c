#include "core/real.h"
#include "op/map.h"

static const lar_param params[] = {
  {"scale", LAR_AT(0), 1, -HUGE_VAL, HUGE_VAL, "factor"},
  {0},
};

static inline real f(real a, real b, const double *p) { return (real)p[0] * (a - b) * (a - b); }
LAR_MAP2(squared_error, f)

static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *d = lar_affine(s, lar_sub(s, v->x[0], v->x[1]), 2 * v->attr->f[0], 0);
  lar_var *g = lar_mul(s, v->g[0], d);
  if (v->need[0]) v->gx[0] = g;
  if (v->need[1]) v->gx[1] = lar_neg(s, g);
}

LAR_ENTRY(op, squared_error) = {
  .name = "squared_error",
  .doc = "scale (a - b)^2",
  .args = "xx",
  .params = params,
  .nin = 2,
  .traits = LAR_OP_HIDDEN,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(squared_error),
  .vjp = vjp,
};
