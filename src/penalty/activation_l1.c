#include "penalty/activation.h"

typedef struct none {
  char unused;
} none;

static lar_var *of_layer(const void *self, lar_scope *s, lar_var *a) {
  return lar_sum(s, LAR_CALL1(s, abs, a));
}

static lar_var *forward(const void *self, lar_scope *s, const lar_pass *pass) {
  lar_var *sum = lar_pass_sum(self, s, pass, of_layer);
  return lar_affine(s, sum, 1 / lar_pass_rows(pass), 0);
}

LAR_ENTRY(penalty, activation_l1) = {
  .name = "activation_l1",
  .doc = "absolute values of activations, a mean over samples: sparse codes",
  .source = "Glorot, Bordes & Bengio 2011, AISTATS, sec. 3.2",
  .formula = "lambda mean_i |a_i|_1",
  .size = sizeof(none),
  .traits = LAR_CONVEX | LAR_SMOOTH | LAR_FORWARD,
  .forward = forward,
  .sees = LAR_SEES_LAYERS,
};
