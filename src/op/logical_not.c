#include "core/number.h"
#include "op/map.h"

static inline bool f(real x, const double *p) { return x == 0; }
LAR_MAP1_TO(logical_not, f, uint8_t)

LAR_ENTRY(op, logical_not) = {
  .name = "logical_not",
  .doc = "where x is 0, as bool",
  .args = "x",
  .nin = 1,
  .result = LAR_TRUTH,
  .map = LAR_MAPS(logical_not),
};
