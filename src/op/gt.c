#include "core/number.h"
#include "op/map.h"

static inline bool f(real x, real y, const double *p) { return x > y; }
LAR_MAP2_TO(gt, f, uint8_t)

LAR_ENTRY(op, gt) = {
  .name = "gt",
  .doc = "is a greater than b? A bool tensor",
  .args = "xx",
  .nin = 2,
  .result = LAR_TRUTH,
  .map = LAR_MAPS(gt),
};
