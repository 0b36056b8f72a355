#include "nn/nn.h"

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  return LAR_CALL1(s, selu, x);
}

LAR_ENTRY(layer, selu) = {
  .name = "selu",
  .doc = "the self-normalising exponential unit: 1.0507 elu(x, 1.6733)",
  .traits = LAR_LAYER_ACTIVATION,
  .forward = forward,
};
