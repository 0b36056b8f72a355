#include "nn/pooling.h"

static const lar_param params[] = {
  LAR_PARTS_ROWS,
  {0},
};

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  return lar_parts_layer_forward(m, s, x, LAR_OP(max_pool));
}

LAR_ENTRY(layer, adaptive_max_pool2d) = {
  .name = "adaptive_max_pool2d",
  .doc = "the largest of each of rows x columns parts of images that are as equal as can be",
  .args = "size*",
  .params = params,
  .size = sizeof(lar_parts_layer),
  .forward = forward,
  .shape = lar_parts_layer_shape,
};
