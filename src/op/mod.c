#include "core/number.h"
#include "op/map.h"

#ifdef LAR_REAL_I64
static inline real f(real x, real y, const double *p) {
  if (y == 0 || y == -1) return 0;
  real r = x % y;
  return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}
LAR_MAP2(mod, f)
#else
static inline real f(real x, real y, const double *p) {
  real r = fmod(x, y);
  return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

#ifdef FP_FAST_FMA
/* The same where the quotient is not large, and *rest says whether it was: rounded it is at
 * most one too large, and what remains is exact but for the last addition, as it is above. */
static inline real quick(real x, real y, int64_t *rest) {
  const real limit = sizeof(real) == sizeof(float) ? (real)0x1p22 : (real)0x1p51;
  real q = x / y, r = fma(-floor(q), y, x), more = r + y;
  *rest += !(fabs(q) < limit && fabs(y) < (real)HUGE_VAL);
  r = r != 0 && (r < 0) != (y < 0) ? more : r;
  return r == 0 ? 0 * x : r;
}

enum { BLOCK = 64 };

static void block(int64_t n, real *out, const real *x, const real *y) {
  real z[BLOCK];
  int64_t rest = 0;
  for (int64_t i = 0; i < n; i++) z[i] = quick(x[i], y[i], &rest);
  for (int64_t i = 0; i < n && rest > 0; i++) z[i] = f(x[i], y[i], NULL);
  memcpy(out, z, (size_t)n * sizeof *z);
}

LAR_MAP_HEAD(mod) {
  const real *x = in[0], *y = in[1];
  for (int64_t at = 0; at < n; at += BLOCK)
    block(n - at < BLOCK ? n - at : BLOCK, (real *)out + at, x + at, y + at);
}
#else
LAR_MAP2(mod, f)
#endif
#endif

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
