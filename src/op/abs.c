#include "core/number.h"
#include "op/map.h"

static inline real f(real x, const double *p) {
  return x < 0 ? (real)(-(lar_modular)x) : x + 0;
}
LAR_MAP1(abs, f)

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_mul(v->s, v->g[0], LAR_CALL1(v->s, sign, v->x[0]));
}

LAR_ENTRY(op, abs) = {
  .name = "abs",
  .doc = "absolute value; derivative 0 at 0",
  .args = "x",
  .nin = 1,
  .result = LAR_SAME,
  .map = LAR_MAPS(abs),
  .vjp = vjp,
};
