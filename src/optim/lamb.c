#include "core/real.h"
#include "optim/adam.h"

static const lar_param schema[] = {
  {"beta1", offsetof(adam, beta1), 0.9, 0.0, LAR_BELOW1, "memory of the mean gradient"},
  {"beta2", offsetof(adam, beta2), 0.999, 0.0, LAR_BELOW1, "memory of the mean square"},
  {"eps", offsetof(adam, eps), 1e-6, 0.0, HUGE_VAL, "added to the root of the mean square"},
  {"weight_decay", offsetof(adam, decay), 0.01, 0.0, HUGE_VAL,
   "added to the step, times the weight, before its length is set"},
  {0},
};

LAR_ADAM_UPDATE(lamb)

LAR_ENTRY(rule, lamb) = {
  .name = "lamb",
  .doc = "adam whose step is lr times as long as the parameter: for large batches",
  .source = "You et al. 2020, ICLR, algorithm 2",
  .params = schema,
  .size = sizeof(adam),
  .lr = 1e-3,
  .nstate = 2,
  .state = "m v",
  .diagonal = true,
  .trust = true,
  .decay = "weight_decay",
  .update = LAR_UPDATES(lamb),
};
