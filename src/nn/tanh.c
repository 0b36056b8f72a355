#include "nn/nn.h"

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  return LAR_CALL1(s, tanh, x);
}

LAR_ENTRY(layer, tanh) = {
  .name = "tanh",
  .doc = "hyperbolic tangent",
  .traits = LAR_LAYER_ACTIVATION,
  .forward = forward,
};
