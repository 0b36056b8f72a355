#include "core/number.h"
#include "op/map.h"

static inline bool f(real x, real y, const double *p) { return x == y; }
LAR_MAP2_TO(eq, f, uint8_t)

LAR_ENTRY(op, eq) = {
  .name = "eq",
  .doc = "is a equal to b? A bool tensor",
  .args = "xx",
  .nin = 2,
  .result = LAR_TRUTH,
  .map = LAR_MAPS(eq),
};
