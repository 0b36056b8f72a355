#include "nn/noise.h"

#define LOW (-1.7580993408473766) /* -scale alpha of selu: its limit at -infinity */

typedef struct alpha_dropout {
  double p;
} alpha_dropout;

static const lar_param params[] = {{"p", offsetof(alpha_dropout, p), 0.5, 0, LAR_BELOW1,
                                    "probability that an element is dropped"},
                                   {0}};

/* a (x mask + LOW (1 - mask)) + b keeps mean 0 and variance 1. */
static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  double p = ((const alpha_dropout *)m->self)->p;
  if (!m->training || p == 0) return x;
  double a = 1 / sqrt((1 - p) * (1 + p * LOW * LOW)), b = -a * LOW * p;
  lar_var *mask = lar_bernoulli_like(s, x, 1 - p, LAR_NOISE_STREAM);
  return lar_add(s, lar_mul(s, x, lar_affine(s, mask, a, 0)),
                 lar_affine(s, mask, -a * LOW, a * LOW + b));
}

LAR_ENTRY(layer, alpha_dropout) = {
  .name = "alpha_dropout",
  .doc = "dropout to selu's lower limit that keeps mean 0 and variance 1",
  .source = "Klambauer, Unterthiner, Mayr & Hochreiter 2017, NeurIPS",
  .args = "p",
  .params = params,
  .size = sizeof(alpha_dropout),
  .traits = LAR_LAYER_STOCHASTIC,
  .forward = forward,
};
