#include "core/number.h"
#include "op/map.h"

#ifdef LAR_REAL_I64
/* By repeated squaring, wrapping as Lua's integers do; a negative power gives 0. */
static inline real f(real x, real y, const double *p) {
  if (y < 0) return x == 1 ? 1 : x == -1 ? (y % 2 ? -1 : 1) : 0;
  uint64_t r = 1, b = (uint64_t)x;
  for (; y > 0; y >>= 1, b *= b)
    if (y & 1) r *= b;
  return (real)r;
}
LAR_MAP2(pow, f)
#else
/* Powers that take an operation or two. */
#define BRIEF(CASE)  \
  CASE(1, x)         \
  CASE(2, x *x)      \
  CASE(3, x *x *x)   \
  CASE(0.5, sqrt(x)) \
  CASE(-1, 1 / x)

#define CHOICE(power, value) r = y == (real)(power) ? (value) : r;
static inline real f(real x, real y, const double *p) {
  real r = pow(x, y);
  BRIEF(CHOICE)
  return r;
}
LAR_VMAP2(pow_any, f)

static bool is_same(const real *y, int64_t n) {
  int64_t others = 0;
#pragma omp simd reduction(+ : others)
  for (int64_t i = 1; i < n; i++) others += y[i] != y[0];
  return n > 0 && others == 0;
}

#define LOOP(power, value)                                 \
  if (y == (real)(power)) {                                \
    _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) { \
      real x = a[i];                                       \
      z[i] = value;                                        \
    }                                                      \
    return;                                                \
  }

LAR_MAP_HEAD(pow) {
  real *z = out;
  const real *a = in[0], *b = in[1];
  if (is_same(b, n)) {
    const real y = *b;
    BRIEF(LOOP)
  }
  LAR_MAP_LOOP(pow_any)(n, out, in, p);
}
#endif

/* d/dx = y x^(y-1), which is 0 for y = 0; d/dy = x^y log x, which is 0 at x = 0 < y. */
static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *x = v->x[0], *y = v->x[1];
  if (v->need[0]) {
    lar_var *zero = LAR_CALL2(s, eq, y, lar_const_like(s, y, 0));
    lar_var *less = lar_where(s, zero, y, lar_affine(s, y, 1, -1)); /* 0^-1 must not appear */
    lar_var *slope = lar_mul(s, y, LAR_CALL2(s, pow, x, less));
    v->gx[0] = lar_mul(s, v->g[0], slope);
  }
  if (v->need[1]) {
    lar_var *dead = LAR_CALL2(s, eq, x, lar_const_like(s, x, 0));
    lar_var *safe = lar_where(s, dead, lar_const_like(s, x, 1), x);
    v->gx[1] = lar_mul(s, v->g[0], lar_mul(s, v->y[0], LAR_CALL1(s, log, safe)));
  }
}

LAR_ENTRY(op, pow) = {
  .name = "pow",
  .doc = "x to the power y",
  .args = "xx",
  .nin = 2,
  .result = LAR_SAME,
  .map = LAR_MAPS(pow),
  .vjp = vjp,
};
