#include "nn/nn.h"

typedef struct softmax {
  double dim;
} softmax;

static const lar_param params[] = {
  {"dim", offsetof(softmax, dim), -1, -LAR_MAX_NDIM, LAR_MAX_NDIM, "dimension", LAR_INTEGER},
  {0}};

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  return lar_with_dim(s, LAR_OP(softmax), x, (int64_t)((const softmax *)m->self)->dim);
}

LAR_ENTRY(layer, softmax) = {
  .name = "softmax",
  .doc = "exp(x) / sum exp(x) along a dimension",
  .args = "dim",
  .params = params,
  .size = sizeof(softmax),
  .traits = LAR_LAYER_ACTIVATION,
  .forward = forward,
};
