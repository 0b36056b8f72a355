#include "core/real.h"
#include "optim/adam.h"

static const lar_param schema[] = {LAR_ADAM_ROWS, {0}};

LAR_ADAM_UPDATE(amsgrad)

LAR_ENTRY(rule, amsgrad) = {
  .name = "amsgrad",
  .doc = "adam whose steps never grow again",
  .source = "Reddi, Kale & Kumar 2018, ICLR, algorithm 2; bias corrected as in PyTorch",
  .params = schema,
  .size = sizeof(adam),
  .lr = 1e-3,
  .nstate = 3,
  .state = "m v most",
  .diagonal = true,
  .update = LAR_UPDATES(amsgrad),
};
