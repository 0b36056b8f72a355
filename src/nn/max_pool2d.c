#include "nn/pooling.h"

static const lar_param params[] = {
  LAR_POOL_ROWS,
  LAR_DILATION_ROWS(LAR_POOL_AT(o.dilation[0]), LAR_POOL_AT(o.dilation[1])),
  LAR_CEIL_ROW(LAR_POOL_AT(o.ceil)),
  {0},
};

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  return lar_pool_layer_forward(m, s, x, LAR_OP(max_pool));
}

LAR_ENTRY(layer, max_pool2d) = {
  .name = "max_pool2d",
  .doc = "the largest of each window of images; the stride is the kernel unless given",
  .args = "kernel*",
  .params = params,
  .size = sizeof(lar_pool_layer),
  .init = lar_pool_layer_init,
  .forward = forward,
  .shape = lar_pool_layer_shape,
};
