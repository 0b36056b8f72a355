#include "nn/nn.h"

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  return LAR_CALL1(s, log_sigmoid, x);
}

LAR_ENTRY(layer, log_sigmoid) = {
  .name = "log_sigmoid",
  .doc = "-log(1 + exp(-x))",
  .traits = LAR_LAYER_ACTIVATION,
  .forward = forward,
};
