#include "loss/loss.h"

static lar_var *each(const void *self, lar_scope *s, lar_var *pred, lar_var *target,
                     lar_var *const *extra, lar_var **scale) {
  return LAR_CALL2(s, squared_error, pred, target);
}

LAR_ENTRY(loss, mse) = {
  .name = "mse",
  .doc = "(f - y)^2",
  .traits = LAR_LOSS_DENSE | LAR_LOSS_CONVEX,
  .each = each,
};
