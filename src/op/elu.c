#include "core/real.h"
#include "op/map.h"

static const lar_param params[] = {
  {"alpha", LAR_AT(0), 1, -HUGE_VAL, HUGE_VAL, "minus the limit at minus infinity"},
  {"scale", LAR_AT(1), 1, -HUGE_VAL, HUGE_VAL, "factor of the whole"},
  {0},
};

static inline real f(real x, const double *p) {
  real below = (real)p[0] * expm1(x < 0 ? x : 0);
  return (real)p[1] * (x > 0 ? x : x <= 0 ? below : x);
}
LAR_VMAP1(elu, f)

/* exp sees no positive x, whose overflow would turn into NaN in second derivatives. */
static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *x = v->x[0];
  double alpha = v->attr->f[0], scale = v->attr->f[1];
  lar_var *above = LAR_CALL2(s, gt, x, lar_const_like(s, x, 0));
  lar_var *e = LAR_CALL1(s, exp, lar_clamp(s, x, -HUGE_VAL, 0));
  lar_var *slope =
    lar_where(s, above, lar_const_like(s, x, scale), lar_affine(s, e, alpha * scale, 0));
  v->gx[0] = lar_mul(s, v->g[0], slope);
}

LAR_ENTRY(op, elu) = {
  .name = "elu",
  .doc = "x where it is positive, else alpha (exp(x) - 1)",
  .args = "x",
  .params = params,
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(elu),
  .vjp = vjp,
};
