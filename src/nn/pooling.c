#include "nn/pooling.h"

/* ---- windows ---- */

/* Layers without an option for it have dilation 0 here. */
static lar_pool_options options(const lar_pool_layer *self) {
  lar_pool_options o = self->o;
  if (o.kernel[1] == 0) o.kernel[1] = -1;
  if (o.dilation[0] == 0) o.dilation[0] = o.dilation[1] = 1;
  return o;
}

static lar_status measure(const void *ctx, const int64_t from[2], int64_t to[2]) {
  lar_pool v = {.size = {from[0], from[1]}};
  lar_pool_options o = options(ctx);
  LAR_TRY(lar_pool_measure(&v, &o));
  to[0] = v.out[0], to[1] = v.out[1];
  return LAR_OK;
}

/* Are the options at odds? */
lar_status lar_pool_layer_init(lar_module *m) {
  int64_t large[2] = {INT32_MAX, INT32_MAX}, to[2];
  return measure(m->self, large, to);
}

lar_status lar_pool_layer_shape(const lar_module *m, int *ndim, int64_t *sizes) {
  LAR_TRY(lar_images_shape(m, 4, ndim, sizes));
  return lar_measure_shape(measure, m->self, sizes + 2);
}

lar_var *lar_pool_layer_forward(lar_module *m, lar_scope *s, lar_var *x, const lar_op *op) {
  const lar_pool_layer *self = m->self;
  lar_pool_options o = options(self);
  return lar_pool_windows(s, op, &o, self->count_pad != 0, x);
}

/* ---- parts ---- */

lar_status lar_parts_layer_shape(const lar_module *m, int *ndim, int64_t *sizes) {
  const lar_parts_layer *self = m->self;
  LAR_TRY(lar_images_shape(m, 4, ndim, sizes));
  for (int d = 0; d < 2; d++) sizes[2 + d] = lar_kernel_size(self->size, d);
  return LAR_OK;
}

lar_var *lar_parts_layer_forward(lar_module *m, lar_scope *s, lar_var *x, const lar_op *op) {
  const lar_parts_layer *self = m->self;
  double out[2];
  for (int d = 0; d < 2; d++) out[d] = (double)lar_kernel_size(self->size, d);
  return lar_pool_parts(s, op, out, x);
}
