#include "core/number.h"
#include "op/map.h"

static const lar_param params[] = {
  {"min", LAR_AT(0), -HUGE_VAL, -HUGE_VAL, HUGE_VAL, "least value"},
  {"max", LAR_AT(1), HUGE_VAL, -HUGE_VAL, HUGE_VAL, "largest value"},
  {0},
};

#ifdef LAR_REAL_I64
static inline real f(real x, const double *p) {
  return (double)x < p[0] ? (real)p[0] : (double)x > p[1] ? (real)p[1] : x;
}
#else
static inline real f(real x, const double *p) {
  real lo = (real)p[0], hi = (real)p[1];
  return x < lo ? lo : x > hi ? hi : x;
}
#endif
LAR_MAP1(clamp, f)

/* The derivative is 1 on the closed range, as in PyTorch. */
static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *x = v->x[0];
  lar_var *above = LAR_CALL2(s, ge, x, lar_const_like(s, x, v->attr->f[0]));
  lar_var *below = LAR_CALL2(s, le, x, lar_const_like(s, x, v->attr->f[1]));
  lar_var *in = lar_cast(s, LAR_CALL2(s, logical_and, above, below), x->t.dtype);
  v->gx[0] = lar_mul(s, v->g[0], in);
}

LAR_ENTRY(op, clamp) = {
  .name = "clamp",
  .doc = "x limited to [min, max]",
  .args = "x",
  .params = params,
  .nin = 1,
  .result = LAR_SAME,
  .map = LAR_MAPS(clamp),
  .vjp = vjp,
};
