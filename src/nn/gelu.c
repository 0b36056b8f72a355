#include "nn/nn.h"

typedef struct gelu {
  double approximate;
} gelu;

static const lar_param params[] = {{"approximate", offsetof(gelu, approximate), 0, 0, 1,
                                    "by tanh instead of erf", LAR_CHOICE, "none|tanh"},
                                   {0}};

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  return lar_call1f(s, LAR_OP(gelu), x, ((const gelu *)m->self)->approximate);
}

LAR_ENTRY(layer, gelu) = {
  .name = "gelu",
  .doc = "x Phi(x), Phi the normal distribution function",
  .source = "Hendrycks & Gimpel 2016, arXiv:1606.08415",
  .args = "approximate",
  .params = params,
  .size = sizeof(gelu),
  .traits = LAR_LAYER_ACTIVATION,
  .forward = forward,
};
