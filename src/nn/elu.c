#include "nn/nn.h"

typedef struct elu {
  double alpha;
} elu;

static const lar_param params[] = {
  {"alpha", offsetof(elu, alpha), 1, 0, HUGE_VAL, "minus the limit at -infinity"}, {0}};

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  return lar_call1f(s, LAR_OP(elu), x, ((const elu *)m->self)->alpha);
}

LAR_ENTRY(layer, elu) = {
  .name = "elu",
  .doc = "x where x > 0, alpha (exp(x) - 1) elsewhere",
  .source = "Clevert, Unterthiner & Hochreiter 2016, ICLR",
  .args = "alpha",
  .params = params,
  .size = sizeof(elu),
  .traits = LAR_LAYER_ACTIVATION,
  .forward = forward,
};
