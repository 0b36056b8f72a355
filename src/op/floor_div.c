#include "core/number.h"
#include "op/map.h"

#ifdef LAR_REAL_I64
static inline real f(real x, real y, const double *p) {
  if (y == 0) return 0; /* refused before it comes here unless both are integer tensors */
  if (y == -1) return (real)(0 - (uint64_t)x);
  return x / y - (x % y != 0 && (x < 0) != (y < 0));
}
#else
static inline real f(real x, real y, const double *p) { return floor(x / y); }
#endif
LAR_MAP2(floor_div, f)

static void vjp(lar_vjp *v) { (void)v; /* zero almost everywhere */ }

LAR_ENTRY(op, floor_div) = {
  .name = "floor_div",
  .doc = "quotient rounded down (Lua's //); integers by 0 give 0",
  .args = "xx",
  .nin = 2,
  .traits = LAR_OP_LINEAR,
  .result = LAR_SAME,
  .map = LAR_MAPS(floor_div),
  .vjp = vjp,
};
