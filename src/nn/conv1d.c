#include "nn/convolving.h"

/* Sequences are images of one row: options of columns, given by one number. */
static const lar_param params[] = {
  LAR_CHANNEL_ROWS,
  {"kernel", LAR_CONV_AT(kernel[0]), 0, 1, 1e9, "taps of the kernel", LAR_INTEGER},
  {"stride", LAR_CONV_AT(o.stride[0]), 1, 1, 1e9, "steps between outputs", LAR_INTEGER},
  {"padding", LAR_CONV_AT(o.padding[0]), 0, 0, 1e9, "zeros on each side", LAR_INTEGER,
   LAR_PADDINGS},
  {"dilation", LAR_CONV_AT(o.dilation[0]), 1, 1, 1e9, "steps between taps", LAR_INTEGER},
  LAR_GROUPS_ROW(LAR_CONV_AT(o.groups)),
  LAR_CONV_BIAS_ROW,
  {0},
};

static lar_conv_options columns(const lar_conv_layer *self) {
  double pad = self->o.padding[0];
  return (lar_conv_options){.stride = {1, self->o.stride[0]},
                            .padding = {pad < 0 ? pad : 0, pad},
                            .dilation = {1, self->o.dilation[0]},
                            .groups = self->o.groups};
}

static lar_status measure(const void *ctx, const int64_t from[2], int64_t to[2]) {
  const lar_conv_layer *self = ctx;
  lar_conv v = {.size = {1, from[1]}, .kernel = {1, (int64_t)self->kernel[0]}};
  lar_conv_options o = columns(self);
  LAR_TRY(lar_conv_measure(&v, &o));
  to[0] = v.out[0], to[1] = v.out[1];
  return LAR_OK;
}

static lar_status init(lar_module *m) {
  const lar_conv_layer *self = m->self;
  int64_t large[2] = {1, INT32_MAX}, to[2];
  LAR_TRY(lar_conv_layer_check(self));
  LAR_TRY(measure(self, large, to)); /* are the options at odds? */
  int64_t shape[] = {(int64_t)self->outputs, (int64_t)(self->inputs / self->o.groups),
                     (int64_t)self->kernel[0]};
  return lar_conv_layer_init(m, 3, shape, shape[0]);
}

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  const lar_conv_layer *self = m->self;
  lar_conv_options o = columns(self);
  lar_status st = lar_conv_layer_takes(&x->t, 3, "(samples, channels, length)", self->inputs);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  lar_var *w = lar_unsqueeze(s, lar_module_slot(m, "weight"), 3);
  lar_var *y = lar_convolve(s, &o, lar_unsqueeze(s, x, 3), w, lar_module_slot(m, "bias"));
  return lar_squeeze(s, y, 3);
}

static lar_status shape(const lar_module *m, int *ndim, int64_t *sizes) {
  const lar_conv_layer *self = m->self;
  LAR_TRY(lar_images_shape(m, 3, ndim, sizes));
  int64_t image[] = {1, sizes[2]};
  sizes[1] = (int64_t)self->outputs;
  LAR_TRY(lar_measure_shape(measure, self, image));
  sizes[2] = image[1];
  return LAR_OK;
}

LAR_ENTRY(layer, conv1d) = {
  .name = "conv1d",
  .doc = "convolution of sequences; the weight is (outputs, inputs / groups, taps)",
  .args = "inputs outputs kernel",
  .params = params,
  .size = sizeof(lar_conv_layer),
  .traits = LAR_LAYER_INIT,
  .init = init,
  .forward = forward,
  .shape = shape,
};
