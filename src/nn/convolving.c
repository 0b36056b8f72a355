#include "nn/convolving.h"

#include <math.h>

#include "nn/init.h"

lar_status lar_conv_layer_check(const lar_conv_layer *self) {
  double groups = self->o.groups;
  if (fmod(self->inputs, groups) == 0 && fmod(self->outputs, groups) == 0) return LAR_OK;
  return lar_fail(LAR_EARG, "groups = %.0f do not divide %.0f inputs and %.0f outputs", groups,
                  self->inputs, self->outputs);
}

lar_status lar_conv_layer_init(lar_module *m, int ndim, const int64_t *shape, int64_t outputs) {
  const lar_conv_layer *self = m->self;
  lar_var *w, *b;
  double bound = 1 / sqrt((double)lar_shape_numel(ndim - 1, shape + 1));
  LAR_TRY(lar_module_add(m, "weight", LAR_WEIGHT, false, ndim, shape, &w));
  if (m->init != NULL)
    LAR_TRY(lar_init(m->init, &w->t));
  else
    lar_init_uniform(&w->t, -bound, bound);
  if (self->bias == 0) return LAR_OK;
  LAR_TRY(lar_module_add(m, "bias", LAR_BIAS, false, 1, &outputs, &b));
  lar_init_uniform(&b->t, -bound, bound);
  return LAR_OK;
}

lar_status lar_conv_layer_takes(const lar_tensor *x, int ndim, const char *sizes,
                                double channels) {
  if (x->ndim != ndim)
    return lar_fail(LAR_ESHAPE, "input %s is not %s", lar_tensor_text(x), sizes);
  if (x->shape[1] != (int64_t)channels)
    return lar_fail(LAR_ESHAPE, "input %s has %lld channel%s, the layer takes %.0f",
                    lar_tensor_text(x), (long long)x->shape[1], x->shape[1] == 1 ? "" : "s",
                    channels);
  return LAR_OK;
}

/* ---- layers of images ---- */

lar_status lar_conv2d_init(lar_module *m, lar_measure *measure, double first, double second) {
  const lar_conv_layer *self = m->self;
  int64_t large[2] = {INT32_MAX, INT32_MAX}, to[2];
  LAR_TRY(lar_conv_layer_check(self));
  LAR_TRY(measure(self, large, to)); /* are the options at odds? */
  int64_t shape[] = {(int64_t)first, (int64_t)(second / self->o.groups),
                     lar_kernel_size(self->kernel, 0), lar_kernel_size(self->kernel, 1)};
  return lar_conv_layer_init(m, 4, shape, (int64_t)self->outputs);
}

lar_var *lar_conv2d_forward(lar_module *m, lar_scope *s, lar_var *x, lar_convolver *convolve) {
  const lar_conv_layer *self = m->self;
  lar_status st =
    lar_conv_layer_takes(&x->t, 4, "(samples, channels, rows, columns)", self->inputs);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  return convolve(s, &self->o, x, lar_module_slot(m, "weight"), lar_module_slot(m, "bias"));
}

lar_status lar_conv2d_shape(const lar_module *m, lar_measure *measure, int *ndim,
                            int64_t *sizes) {
  const lar_conv_layer *self = m->self;
  LAR_TRY(lar_images_shape(m, 4, ndim, sizes));
  sizes[1] = (int64_t)self->outputs;
  return lar_measure_shape(measure, self, sizes + 2);
}

/* ---- shapes ---- */

lar_status lar_images_shape(const lar_module *m, int want, int *ndim, int64_t *shape) {
  if (*ndim == LAR_UNKNOWN) {
    *ndim = want;
    for (int d = 0; d < want; d++) shape[d] = LAR_UNKNOWN;
  }
  if (*ndim == want) return LAR_OK;
  return lar_fail(LAR_ESHAPE, "%s: takes %d dimensions, not %d", lar_module_name(m), want,
                  *ndim);
}

/* A direction does not depend on the other, so an unknown one borrows the other's size. */
lar_status lar_measure_shape(lar_measure *measure, const void *ctx, int64_t sizes[2]) {
  int64_t to[2];
  bool known[2] = {sizes[0] != LAR_UNKNOWN, sizes[1] != LAR_UNKNOWN};
  for (int d = 0; d < 2; d++) {
    int64_t from[2] = {sizes[d], sizes[d]};
    if (!known[d]) continue;
    from[1 - d] = known[1 - d] ? sizes[1 - d] : INT32_MAX;
    LAR_TRY(measure(ctx, from, to));
    sizes[d] = to[d];
  }
  return LAR_OK;
}
