#include "core/real.h"
#include "penalty/ball.h"

static const lar_param schema[] = {
  {"c", offsetof(ball, radius), 1.0, 0.0, HUGE_VAL, "greatest norm of a group"},
  {0},
};

LAR_RADIAL_ENTRY(max_norm)

LAR_ENTRY(penalty, max_norm) = {
  .name = "max_norm",
  .doc = "the norm of the weights into each unit at most c",
  .source = "Srebro & Shraibman 2005, COLT; Srivastava et al. 2014, JMLR 15, sec. 5.1",
  .formula = "|w_g|_2 <= c",
  .params = schema,
  .size = sizeof(ball),
  .traits = LAR_CONVEX | LAR_GROUPED | LAR_RADIAL | LAR_CONSTRAINT,
  .by = "output",
  LAR_RADIAL_SLOTS,
};
