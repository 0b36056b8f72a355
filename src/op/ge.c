#include "core/number.h"
#include "op/map.h"

static inline bool f(real x, real y, const double *p) { return x >= y; }
LAR_MAP2_TO(ge, f, uint8_t)

LAR_ENTRY(op, ge) = {
  .name = "ge",
  .doc = "is a at least b? A bool tensor",
  .args = "xx",
  .nin = 2,
  .result = LAR_TRUTH,
  .map = LAR_MAPS(ge),
};
