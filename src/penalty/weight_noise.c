#include "penalty/penalty.h"

typedef struct self {
  double std;
} self;

static const lar_param schema[] = {
  {"std", offsetof(self, std), 0.1, 0.0, HUGE_VAL, "standard deviation of the noise"},
  {0},
};

static double noise(const void *p, double l) { return l * ((const self *)p)->std; }

static lar_status value(const lar_pen_at *at, const lar_tensor *w, double *out) {
  *out = 0;
  return LAR_OK;
}

static lar_status grad(const lar_pen_at *at, const lar_tensor *w, const lar_tensor *g) {
  return LAR_OK;
}

LAR_ENTRY(penalty, weight_noise) = {
  .name = "weight_noise",
  .doc = "fresh normal noise on the weights in each forward pass in training",
  .source = "Murray & Edwards 1994, IEEE Trans. Neural Networks 5(5); Graves 2011, NIPS 24",
  .formula = "E[loss(w + lambda std N(0, 1))] - loss(w)",
  .params = schema,
  .size = sizeof(self),
  .traits = LAR_SMOOTH,
  .value = value,
  .grad = grad,
  .noise = noise,
};
