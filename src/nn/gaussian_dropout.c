#include "nn/noise.h"

typedef struct gaussian_dropout {
  double p;
} gaussian_dropout;

static const lar_param params[] = {{"p", offsetof(gaussian_dropout, p), 0.5, 0, LAR_BELOW1,
                                    "dropout's probability of the same variance"},
                                   {0}};

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  double p = ((const gaussian_dropout *)m->self)->p;
  if (!m->training || p == 0) return x;
  return lar_mul(s, x, lar_normal_like(s, x, 1, sqrt(p / (1 - p)), LAR_NOISE_STREAM));
}

LAR_ENTRY(layer, gaussian_dropout) = {
  .name = "gaussian_dropout",
  .doc = "x times normal noise of mean 1 and variance p / (1 - p) in training",
  .source = "Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov 2014, JMLR 15, sec. 10",
  .args = "p",
  .params = params,
  .size = sizeof(gaussian_dropout),
  .traits = LAR_LAYER_STOCHASTIC,
  .forward = forward,
};
