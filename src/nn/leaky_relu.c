#include "nn/nn.h"

typedef struct leaky_relu {
  double slope;
} leaky_relu;

static const lar_param params[] = {
  {"slope", offsetof(leaky_relu, slope), 0.01, -HUGE_VAL, HUGE_VAL, "slope below 0"}, {0}};

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  return lar_call1f(s, LAR_OP(leaky_relu), x, ((const leaky_relu *)m->self)->slope);
}

LAR_ENTRY(layer, leaky_relu) = {
  .name = "leaky_relu",
  .doc = "x where x > 0, slope x elsewhere",
  .args = "slope",
  .params = params,
  .size = sizeof(leaky_relu),
  .traits = LAR_LAYER_ACTIVATION,
  .forward = forward,
};
