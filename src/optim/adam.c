#include "optim/adam.h"
#include "core/real.h"

static const lar_param schema[] = {LAR_ADAM_ROWS, {0}};

LAR_ADAM_UPDATE(adam)

LAR_ENTRY(rule, adam) = {
  .name = "adam",
  .doc = "a step for each coordinate from averages of gradient and square",
  .source = "Kingma & Ba 2015, ICLR, algorithm 1",
  .params = schema,
  .size = sizeof(adam),
  .lr = 1e-3,
  .nstate = 2,
  .state = "m v",
  .diagonal = true,
  .update = LAR_UPDATES(adam),
};
