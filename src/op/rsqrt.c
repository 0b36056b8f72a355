#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return 1 / sqrt(x); }
LAR_MAP1(rsqrt, f)

static void vjp(lar_vjp *v) {
  lar_var *cube = lar_mul(v->s, v->y[0], lar_mul(v->s, v->y[0], v->y[0]));
  v->gx[0] = lar_affine(v->s, lar_mul(v->s, v->g[0], cube), -0.5, 0);
}

LAR_ENTRY(op, rsqrt) = {
  .name = "rsqrt",
  .doc = "1 / sqrt(x)",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(rsqrt),
  .vjp = vjp,
};
