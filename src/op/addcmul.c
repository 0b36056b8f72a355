#include "core/real.h"
#include "op/map.h"

static const lar_param params[] = {
  {"value", LAR_AT(0), 1, -HUGE_VAL, HUGE_VAL, "factor of the product"}, {0}};

static inline real f(real x, real a, real b, const double *p) {
  return x + (real)p[0] * (a * b);
}
LAR_MAP3(addcmul, f)

static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *g = v->g[0], *part = v->attr->f[0] == 1 ? g : lar_affine(s, g, v->attr->f[0], 0);
  if (v->need[0]) v->gx[0] = g;
  if (v->need[1]) v->gx[1] = lar_mul(s, part, v->x[2]);
  if (v->need[2]) v->gx[2] = lar_mul(s, part, v->x[1]);
}

LAR_ENTRY(op, addcmul) = {
  .name = "addcmul",
  .doc = "x + value a b, element by element",
  .args = "xxx",
  .params = params,
  .nin = 3,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(addcmul),
  .vjp = vjp,
};
