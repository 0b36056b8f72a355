#include "core/real.h"
#include "op/map.h"

static const lar_param params[] = {
  {"slope", LAR_AT(0), 0.01, -HUGE_VAL, HUGE_VAL, "slope where x is negative"},
  {0},
};

static inline real f(real x, const double *p) {
  real below = (real)p[0] * x;
  return x > 0 ? x : below;
}
LAR_MAP1(leaky_relu, f)

static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *above = LAR_CALL2(s, gt, v->x[0], lar_const_like(s, v->x[0], 0));
  v->gx[0] = lar_where(s, above, v->g[0], lar_affine(s, v->g[0], v->attr->f[0], 0));
}

LAR_ENTRY(op, leaky_relu) = {
  .name = "leaky_relu",
  .doc = "x where it is positive, else slope x; derivative slope at 0",
  .args = "x",
  .params = params,
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(leaky_relu),
  .vjp = vjp,
};
