#include "nn/nn.h"

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) { return x; }

LAR_ENTRY(layer, identity) = {
  .name = "identity",
  .doc = "x",
  .forward = forward,
};
