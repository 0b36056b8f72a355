#include "optim/adam.h"
#include "core/real.h"

static const lar_param schema[] = {LAR_ADAM_ROWS, {0}};

LAR_UPDATE(adam) {
  const adam p = *(const adam *)self;
  if (metric != NULL)
    lar_adam(&p, lr, t, n, weights, gradient, state[0], state[1], NULL, metric);
  else
    lar_adam(&p, lr, t, n, weights, gradient, state[0], state[1], NULL, NULL);
}

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
