#include "nn/noise.h"

typedef struct gaussian_noise {
  double std;
} gaussian_noise;

static const lar_param params[] = {
  {"std", offsetof(gaussian_noise, std), 0.1, 0, HUGE_VAL, "standard deviation of the noise"},
  {0}};

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  double std = ((const gaussian_noise *)m->self)->std;
  if (!m->training || std == 0) return x;
  return lar_add(s, x, lar_normal_like(s, x, 0, std, LAR_NOISE_STREAM));
}

LAR_ENTRY(layer, gaussian_noise) = {
  .name = "gaussian_noise",
  .doc = "x plus normal noise in training",
  .source = "Bishop 1995, Neural Computation 7(1)",
  .args = "std",
  .params = params,
  .size = sizeof(gaussian_noise),
  .traits = LAR_LAYER_STOCHASTIC,
  .forward = forward,
};
