#include "nn/nn.h"

typedef struct log_softmax {
  double dim;
} log_softmax;

static const lar_param params[] = {{"dim", offsetof(log_softmax, dim), -1, -LAR_MAX_NDIM,
                                    LAR_MAX_NDIM, "dimension", LAR_INTEGER},
                                   {0}};

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  return lar_with_dim(s, LAR_OP(log_softmax), x, (int64_t)((const log_softmax *)m->self)->dim);
}

LAR_ENTRY(layer, log_softmax) = {
  .name = "log_softmax",
  .doc = "log softmax along a dimension",
  .args = "dim",
  .params = params,
  .size = sizeof(log_softmax),
  .traits = LAR_LAYER_ACTIVATION,
  .forward = forward,
};
