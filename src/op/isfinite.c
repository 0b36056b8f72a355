#include "core/real.h"
#include "op/map.h"

static inline bool f(real x, const double *p) { return x - x == 0; }
LAR_MAP1_TO(isfinite, f, uint8_t)

LAR_ENTRY(op, isfinite) = {
  .name = "isfinite",
  .doc = "where x is neither infinite nor not a number, as bool",
  .args = "x",
  .nin = 1,
  .result = LAR_TRUTH,
  .map = LAR_FMAPS(isfinite),
};
