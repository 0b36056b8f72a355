#include "core/real.h"
#include "penalty/towards.h"

typedef struct none {
  char unused;
} none;

LAR_TOWARDS_LOOPS(l2_sp)

LAR_ENTRY(penalty, l2_sp) = {
  .name = "l2_sp",
  .doc = "half the squared distance from given weights: fine-tuning that remembers its start",
  .source = "Li, Grandvalet & Davoine 2018, ICML, eq. 2",
  .formula = "lambda/2 |w - towards|^2",
  .size = sizeof(none),
  .traits = LAR_CONVEX | LAR_SMOOTH | LAR_TOWARDS,
  LAR_TOWARDS_SLOTS(l2_sp),
};
