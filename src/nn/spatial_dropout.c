#include "nn/noise.h"

typedef struct spatial_dropout {
  double p;
} spatial_dropout;

static const lar_param params[] = {
  {"p", offsetof(spatial_dropout, p), 0.5, 0, 1, "probability that a channel is dropped"}, {0}};

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  if (!m->training) return x;
  return lar_noise_drop(s, x, ((const spatial_dropout *)m->self)->p, 2);
}

LAR_ENTRY(layer, spatial_dropout) = {
  .name = "spatial_dropout",
  .doc = "as dropout, but a sample's channel (dimension 2) is dropped as a whole",
  .source = "Tompson, Goroshin, Jain, LeCun & Bregler 2015, CVPR",
  .args = "p",
  .params = params,
  .size = sizeof(spatial_dropout),
  .traits = LAR_LAYER_STOCHASTIC,
  .forward = forward,
};
