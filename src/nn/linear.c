#include "nn/features.h"

typedef struct linear {
  lar_features f;
} linear;

static const lar_param params[] = {LAR_FEATURES_ROWS(linear), {0}};

static lar_status init(lar_module *m) {
  return lar_features_init(m, &((const linear *)m->self)->f);
}

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  const linear *self = m->self;
  return lar_features_apply(s, &self->f, x, lar_module_slot(m, "weight"),
                            lar_module_slot(m, "bias"));
}

static lar_status shape(const lar_module *m, int *ndim, int64_t *sizes) {
  return lar_features_shape(&((const linear *)m->self)->f, ndim, sizes);
}

LAR_ENTRY(layer, linear) = {
  .name = "linear",
  .doc = "y = x W^T + b along the last dimension; W is (outputs, inputs)",
  .args = "inputs outputs",
  .params = params,
  .size = sizeof(linear),
  .traits = LAR_LAYER_INIT,
  .init = init,
  .forward = forward,
  .shape = shape,
};
