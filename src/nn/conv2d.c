#include "nn/convolving.h"

static const lar_param params[] = {
  LAR_CHANNEL_ROWS,
  LAR_KERNEL_ROWS(LAR_CONV_AT(kernel[0]), LAR_CONV_AT(kernel[1])),
  LAR_STRIDE_ROWS(LAR_CONV_AT(o.stride[0]), LAR_CONV_AT(o.stride[1])),
  LAR_PADDING_ROWS(LAR_CONV_AT(o.padding[0]), LAR_CONV_AT(o.padding[1]), LAR_PADDINGS),
  LAR_DILATION_ROWS(LAR_CONV_AT(o.dilation[0]), LAR_CONV_AT(o.dilation[1])),
  LAR_GROUPS_ROW(LAR_CONV_AT(o.groups)),
  LAR_CONV_BIAS_ROW,
  {0},
};

static lar_status measure(const void *ctx, const int64_t from[2], int64_t to[2]) {
  const lar_conv_layer *self = ctx;
  lar_conv v = {.size = {from[0], from[1]}};
  for (int d = 0; d < 2; d++) v.kernel[d] = lar_kernel_size(self->kernel, d);
  LAR_TRY(lar_conv_measure(&v, &self->o));
  to[0] = v.out[0], to[1] = v.out[1];
  return LAR_OK;
}

static lar_status init(lar_module *m) {
  const lar_conv_layer *self = m->self;
  return lar_conv2d_init(m, measure, self->outputs, self->inputs);
}

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  return lar_conv2d_forward(m, s, x, lar_convolve);
}

static lar_status shape(const lar_module *m, int *ndim, int64_t *sizes) {
  return lar_conv2d_shape(m, measure, ndim, sizes);
}

LAR_ENTRY(layer, conv2d) = {
  .name = "conv2d",
  .doc = "convolution of images; the weight is (outputs, inputs / groups, rows, columns)",
  .args = "inputs outputs kernel*",
  .params = params,
  .size = sizeof(lar_conv_layer),
  .traits = LAR_LAYER_INIT,
  .init = init,
  .forward = forward,
  .shape = shape,
};
