#include "core/real.h"
#include "op/map.h"

static inline bool f(real x, const double *p) { return fabs(x) == (real)HUGE_VAL; }
LAR_MAP1_TO(isinf, f, uint8_t)

LAR_ENTRY(op, isinf) = {
  .name = "isinf",
  .doc = "where x is infinite, as bool",
  .args = "x",
  .nin = 1,
  .result = LAR_TRUTH,
  .map = LAR_FMAPS(isinf),
};
