#include "core/number.h"
#include "op/map.h"

#ifdef LAR_REAL_I64
static inline real f(real x, real y, const double *p) {
  if (y == 0 || y == -1) return 0;
  real r = x % y;
  return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}
#else
static inline real f(real x, real y, const double *p) {
  real r = fmod(x, y);
  return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}
#endif
LAR_MAP2(mod, f)

static void vjp(lar_vjp *v) {
  v->gx[0] = v->g[0];
  if (!v->need[1]) return;
  lar_var *turns = LAR_CALL2(v->s, floor_div, v->x[0], v->x[1]);
  v->gx[1] = lar_neg(v->s, lar_mul(v->s, v->g[0], turns));
}

LAR_ENTRY(op, mod) = {
  .name = "mod",
  .doc = "remainder with the sign of the divisor (Lua's %); integers by 0 give 0",
  .args = "xx",
  .nin = 2,
  .result = LAR_SAME,
  .map = LAR_MAPS(mod),
  .vjp = vjp,
};
