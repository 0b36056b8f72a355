#include "core/real.h"

#define LAR_LEVEL_FOLDS 1
#include "penalty/level.h"

static const lar_param schema[] = {
  {"radius", offsetof(level, radius), 1.0, LAR_ABOVE0, HUGE_VAL, "greatest sum of magnitudes"},
  {0},
};

LAR_RADIAL_ENTRY(l1_ball)

LAR_ENTRY(penalty, l1_ball) = {
  .name = "l1_ball",
  .doc = "the sum of magnitudes of a parameter, or of each group, at most radius",
  .source =
    "Duchi et al. 2008, ICML; Condat 2016, Math. Program. 158; Newton's method: Michelot "
    "1986, JOTA 50(1)",
  .formula = "|w|_1 <= radius",
  .params = schema,
  .size = sizeof(level),
  .traits = LAR_CONVEX | LAR_GROUPED | LAR_ABSOLUTE | LAR_CONSTRAINT,
  .by = "all",
  LAR_RADIAL_SLOTS,
};
