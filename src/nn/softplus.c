#include "nn/nn.h"

typedef struct softplus {
  double beta;
} softplus;

static const lar_param params[] = {
  {"beta", offsetof(softplus, beta), 1, LAR_ABOVE0, HUGE_VAL, "sharpness"}, {0}};

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  return lar_call1f(s, LAR_OP(softplus), x, ((const softplus *)m->self)->beta);
}

LAR_ENTRY(layer, softplus) = {
  .name = "softplus",
  .doc = "log(1 + exp(beta x)) / beta",
  .args = "beta",
  .params = params,
  .size = sizeof(softplus),
  .traits = LAR_LAYER_ACTIVATION,
  .forward = forward,
};
