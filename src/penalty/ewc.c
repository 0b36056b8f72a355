#include "core/real.h"
#include "penalty/towards.h"

typedef struct none {
  char unused;
} none;

LAR_TOWARDS_LOOPS(ewc)

LAR_ENTRY(penalty, ewc) = {
  .name = "ewc",
  .doc = "elastic weight consolidation: weights that mattered for a former task stay near",
  .source = "Kirkpatrick et al. 2017, PNAS 114(13), eq. 3",
  .formula = "lambda/2 sum fisher (w - towards)^2",
  .size = sizeof(none),
  .traits = LAR_CONVEX | LAR_SMOOTH | LAR_TOWARDS | LAR_FISHER,
  LAR_TOWARDS_SLOTS(ewc),
};
