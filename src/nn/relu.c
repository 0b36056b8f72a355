#include "nn/nn.h"

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  return LAR_CALL1(s, relu, x);
}

LAR_ENTRY(layer, relu) = {
  .name = "relu",
  .doc = "max(x, 0)",
  .traits = LAR_LAYER_ACTIVATION,
  .forward = forward,
};
