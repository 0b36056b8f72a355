#include "core/number.h"
#include "op/map.h"

static inline bool f(real x, real y, const double *p) { return (x != 0) || (y != 0); }
LAR_MAP2_TO(logical_or, f, uint8_t)

LAR_ENTRY(op, logical_or) = {
  .name = "logical_or",
  .doc = "one not 0, as bool",
  .args = "xx",
  .nin = 2,
  .result = LAR_TRUTH,
  .map = LAR_MAPS(logical_or),
};
