#include "nn/nn.h"

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  return LAR_CALL1(s, sigmoid, x);
}

LAR_ENTRY(layer, sigmoid) = {
  .name = "sigmoid",
  .doc = "1 / (1 + exp(-x))",
  .traits = LAR_LAYER_ACTIVATION,
  .forward = forward,
};
