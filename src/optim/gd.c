#include "core/real.h"
#include "optim/rule.h"

typedef struct none {
  char unused;
} none;

LAR_UPDATE(gd) {
  real *restrict w = weights;
  const real *restrict g = gradient, step = (real)lr;
  LAR_STEP(i) w[i] -= step * g[i];
}

LAR_ENTRY(rule, gd) = {
  .name = "gd",
  .doc = "plain gradient descent on the whole data",
  .source = "Cauchy 1847, C. R. Acad. Sci. 25",
  .size = sizeof(none),
  .lr = 0.01,
  .full_batch = true,
  .update = LAR_UPDATES(gd),
};
