#include "core/real.h"
#include "penalty/ball.h"

static const lar_param schema[] = {
  {"radius", offsetof(ball, radius), 1.0, LAR_ABOVE0, HUGE_VAL, "greatest norm"},
  {0},
};

LAR_RADIAL_ENTRY(l2_ball)

LAR_ENTRY(penalty, l2_ball) = {
  .name = "l2_ball",
  .doc = "the norm of all weights of a parameter, or of each group, at most radius",
  .source = "projection by scaling: Bertsekas 1999, Nonlinear Programming, 2.1",
  .formula = "|w|_2 <= radius",
  .params = schema,
  .size = sizeof(ball),
  .traits = LAR_CONVEX | LAR_GROUPED | LAR_RADIAL | LAR_CONSTRAINT,
  .by = "all",
  LAR_RADIAL_SLOTS,
};
