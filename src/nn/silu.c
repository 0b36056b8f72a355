#include "nn/nn.h"

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  return LAR_CALL1(s, silu, x);
}

LAR_ENTRY(layer, silu) = {
  .name = "silu",
  .doc = "x sigmoid(x)",
  .traits = LAR_LAYER_ACTIVATION,
  .forward = forward,
};
