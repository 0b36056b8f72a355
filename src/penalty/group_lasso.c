#include "core/real.h"
#include "penalty/radial.h"

typedef struct none {
  char unused;
} none;

static inline double value(const none *p, double l, double size, double r) {
  return l * sqrt(size) * r;
}

static inline double slope(const none *p, double l, double size, double r) {
  return l * sqrt(size);
}

static inline double shrink(const none *p, double l, double size, double r, double t) {
  return lar_soft(r, t * l * sqrt(size));
}

static inline lar_secular secular(const none *p, double l, double size) {
  return (lar_secular){.beta = l * sqrt(size)};
}

LAR_RADIAL_LOOPS(none)
LAR_RADIAL_ENTRY(group_lasso)

LAR_ENTRY(penalty, group_lasso) = {
  .name = "group_lasso",
  .doc = "norms of groups: whole groups at exactly 0",
  .source = "Yuan & Lin 2006, JRSS B 68(1); in a diagonal metric: Deleu & Bengio 2021, "
            "arXiv:2102.03869",
  .formula = "lambda sum_g sqrt(|g|) |w_g|_2",
  .size = sizeof(none),
  .traits = LAR_CONVEX | LAR_GROUPED | LAR_RADIAL | LAR_ABSOLUTE | LAR_NORM,
  .at_max = lar_groups_max,
  LAR_RADIAL_SLOTS,
};
