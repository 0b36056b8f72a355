#include "core/number.h"
#include "op/map.h"

static inline bool f(real x, real y, const double *p) { return x <= y; }
LAR_MAP2_TO(le, f, uint8_t)

LAR_ENTRY(op, le) = {
  .name = "le",
  .doc = "is a at most b? A bool tensor",
  .args = "xx",
  .nin = 2,
  .result = LAR_TRUTH,
  .map = LAR_MAPS(le),
};
