#include "core/number.h"
#include "op/map.h"

static inline bool f(real x, real y, const double *p) { return x < y; }
LAR_MAP2_TO(lt, f, uint8_t)

LAR_ENTRY(op, lt) = {
  .name = "lt",
  .doc = "is a less than b? A bool tensor",
  .args = "xx",
  .nin = 2,
  .result = LAR_TRUTH,
  .map = LAR_MAPS(lt),
};
