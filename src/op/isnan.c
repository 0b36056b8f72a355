#include "core/real.h"
#include "op/map.h"

static inline bool f(real x, const double *p) { return x != x; }
LAR_MAP1_TO(isnan, f, uint8_t)

LAR_ENTRY(op, isnan) = {
  .name = "isnan",
  .doc = "where x is not a number, as bool",
  .args = "x",
  .nin = 1,
  .result = LAR_TRUTH,
  .map = LAR_FMAPS(isnan),
};
