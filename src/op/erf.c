#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return erf(x); }
LAR_VMAP1(erf, f)

static void vjp(lar_vjp *v) {
  lar_var *bell = LAR_CALL1(v->s, exp, lar_neg(v->s, lar_mul(v->s, v->x[0], v->x[0])));
  v->gx[0] =
    lar_mul(v->s, v->g[0], lar_affine(v->s, bell, 1.1283791670955126, 0)); /* 2 / sqrt(pi) */
}

LAR_ENTRY(op, erf) = {
  .name = "erf",
  .doc = "error function",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(erf),
  .vjp = vjp,
};
