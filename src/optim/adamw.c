#include "core/real.h"
#include "optim/adam.h"

static const lar_param schema[] = {
  LAR_ADAM_ROWS,
  {"weight_decay", offsetof(adam, decay), 0.01, 0.0, HUGE_VAL,
   "weights shrink by lr times this, apart from the gradient"},
  {0},
};

LAR_ADAM_UPDATE(adamw)

LAR_ENTRY(rule, adamw) = {
  .name = "adamw",
  .doc = "adam with weight decay apart from the gradient",
  .source = "Loshchilov & Hutter 2019, ICLR, algorithm 2",
  .params = schema,
  .size = sizeof(adam),
  .lr = 1e-3,
  .nstate = 2,
  .state = "m v",
  .diagonal = true,
  .decay = "weight_decay",
  .update = LAR_UPDATES(adamw),
};
