#include "nn/noise.h"

typedef struct stochastic_depth {
  double p;
} stochastic_depth;

static const lar_param params[] = {
  {"p", offsetof(stochastic_depth, p), 0.5, 0, 1, "probability that a sample is dropped"}, {0}};

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  if (!m->training) return x;
  return lar_noise_drop(s, x, ((const stochastic_depth *)m->self)->p, 1);
}

LAR_ENTRY(layer, stochastic_depth) = {
  .name = "stochastic_depth",
  .doc = "as dropout, but a sample is dropped as a whole: in a residual its branch is skipped",
  .source = "Huang, Sun, Liu, Sedra & Weinberger 2016, ECCV",
  .args = "p",
  .params = params,
  .size = sizeof(stochastic_depth),
  .traits = LAR_LAYER_STOCHASTIC,
  .forward = forward,
};
