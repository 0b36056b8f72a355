#include "nn/features.h"
#include "nn/noise.h"

typedef struct drop_connect {
  lar_features f;
  double p;
} drop_connect;

static const lar_param params[] = {
  LAR_FEATURES_ROWS(drop_connect),
  {"p", offsetof(drop_connect, p), 0.5, 0, 1, "probability that a weight is dropped"},
  {0},
};

static lar_status init(lar_module *m) {
  return lar_features_init(m, &((const drop_connect *)m->self)->f);
}

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  const drop_connect *self = m->self;
  lar_var *w = lar_module_slot(m, "weight");
  if (m->training) w = lar_noise_drop(s, w, self->p, LAR_MAX_NDIM);
  return lar_features_apply(s, &self->f, x, w, lar_module_slot(m, "bias"));
}

static lar_status shape(const lar_module *m, int *ndim, int64_t *sizes) {
  return lar_features_shape(&((const drop_connect *)m->self)->f, ndim, sizes);
}

LAR_ENTRY(layer, drop_connect) = {
  .name = "drop_connect",
  .doc = "a linear layer whose weights are dropped in training, one draw a batch",
  .source = "Wan, Zeiler, Zhang, LeCun & Fergus 2013, ICML",
  .args = "inputs outputs",
  .params = params,
  .size = sizeof(drop_connect),
  .traits = LAR_LAYER_STOCHASTIC | LAR_LAYER_INIT,
  .init = init,
  .forward = forward,
  .shape = shape,
};
