#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) {
  real e = exp(-fabs(x));
  return x >= 0 ? x / (1 + e) : x * e / (1 + e);
}
LAR_VMAP1(silu, f)

/* s + x s (1 - s), s the sigmoid */
static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *sig = LAR_CALL1(s, sigmoid, v->x[0]);
  lar_var *rest = lar_affine(s, lar_mul(s, v->x[0], lar_affine(s, sig, -1, 1)), 1, 1);
  v->gx[0] = lar_mul(s, v->g[0], lar_mul(s, sig, rest));
}

LAR_ENTRY(op, silu) = {
  .name = "silu",
  .doc = "x sigmoid(x), also called swish",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(silu),
  .vjp = vjp,
};
