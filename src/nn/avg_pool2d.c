#include "nn/pooling.h"

static const lar_param params[] = {
  LAR_POOL_ROWS,
  {"count_include_pad", LAR_POOL_AT(count_pad), 1, 0, 1,
   "zeros of the padding count in the mean", LAR_FLAG},
  LAR_CEIL_ROW(LAR_POOL_AT(o.ceil)),
  {0},
};

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  return lar_pool_layer_forward(m, s, x, LAR_OP(mean_pool));
}

LAR_ENTRY(layer, avg_pool2d) = {
  .name = "avg_pool2d",
  .doc = "the mean of each window of images; the stride is the kernel unless given",
  .args = "kernel*",
  .params = params,
  .size = sizeof(lar_pool_layer),
  .init = lar_pool_layer_init,
  .forward = forward,
  .shape = lar_pool_layer_shape,
};
