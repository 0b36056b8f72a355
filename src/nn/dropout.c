#include "nn/noise.h"

typedef struct dropout {
  double p;
} dropout;

static const lar_param params[] = {
  {"p", offsetof(dropout, p), 0.5, 0, 1, "probability that an element is dropped"}, {0}};

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  if (!m->training) return x;
  return lar_noise_drop(s, x, ((const dropout *)m->self)->p, LAR_MAX_NDIM);
}

LAR_ENTRY(layer, dropout) = {
  .name = "dropout",
  .doc = "each element is 0 with probability p in training, else x / (1 - p)",
  .source = "Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov 2014, JMLR 15",
  .args = "p",
  .params = params,
  .size = sizeof(dropout),
  .traits = LAR_LAYER_STOCHASTIC,
  .forward = forward,
};
