#include "core/real.h"

#define LAR_LEVEL_FOLDS 0
#include "penalty/level.h"

static const lar_param schema[] = {
  {"radius", offsetof(level, radius), 1.0, LAR_ABOVE0, HUGE_VAL, "sum of the weights"},
  {0},
};

LAR_RADIAL_ENTRY(simplex)

LAR_ENTRY(penalty, simplex) = {
  .name = "simplex",
  .doc = "no weight below 0, their sum radius: a parameter, or each group, as a distribution",
  .source = "Held, Wolfe & Crowder 1974, Math. Program. 6; Condat 2016, Math. Program. 158",
  .formula = "w >= 0, sum w = radius",
  .params = schema,
  .size = sizeof(level),
  .traits = LAR_CONVEX | LAR_GROUPED | LAR_CONSTRAINT,
  .by = "all",
  LAR_RADIAL_SLOTS,
};
