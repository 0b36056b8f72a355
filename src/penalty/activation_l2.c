#include "penalty/activation.h"

typedef struct none {
  char unused;
} none;

static lar_var *of_layer(const void *self, lar_scope *s, lar_var *a) {
  return lar_sum(s, LAR_CALL1(s, square, a));
}

static lar_var *forward(const void *self, lar_scope *s, const lar_pass *pass) {
  lar_var *sum = lar_pass_sum(self, s, pass, of_layer);
  return lar_affine(s, sum, 0.5 / lar_pass_rows(pass), 0);
}

LAR_ENTRY(penalty, activation_l2) = {
  .name = "activation_l2",
  .doc = "half the squares of activations, a mean over samples",
  .source = "Merity, McCann & Socher 2017, arXiv:1708.01009 (activation regularisation)",
  .formula = "lambda/2 mean_i |a_i|^2",
  .size = sizeof(none),
  .traits = LAR_CONVEX | LAR_SMOOTH | LAR_FORWARD,
  .forward = forward,
  .sees = LAR_SEES_LAYERS,
};
