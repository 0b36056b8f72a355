#include "grad/grad.h"
#include "penalty/activation.h"

typedef struct none {
  char unused;
} none;

/* The loss is a mean over n samples: its gradient by x_i is that of l_i over n. */
static lar_var *forward(const void *self, lar_scope *s, const lar_pass *pass) {
  lar_var *g = NULL;
  lar_status st = lar_grad(pass->loss, NULL, 1, &pass->x, true, &g);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  lar_var *sum = lar_sum(s, LAR_CALL1(s, square, lar_scope_own(s, g)));
  return lar_affine(s, sum, lar_pass_rows(pass), 0);
}

LAR_ENTRY(penalty, gradient) = {
  .name = "gradient",
  .doc = "squares of the derivatives of the loss by inputs (double backpropagation)",
  .source = "Drucker & LeCun 1992, IEEE Trans. Neural Networks 3(6)",
  .formula = "lambda mean_i |dloss_i/dx_i|^2",
  .size = sizeof(none),
  .traits = LAR_SMOOTH | LAR_FORWARD,
  .forward = forward,
  .sees = LAR_SEES_INPUT | LAR_SEES_LOSS,
};
