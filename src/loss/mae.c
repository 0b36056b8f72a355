#include "loss/loss.h"

static lar_var *each(const void *self, lar_scope *s, lar_var *pred, lar_var *target,
                     lar_var *const *extra, lar_var **scale) {
  return LAR_CALL1(s, abs, lar_sub(s, pred, target));
}

LAR_ENTRY(loss, mae) = {
  .name = "mae",
  .doc = "|f - y|",
  .traits = LAR_LOSS_DENSE | LAR_LOSS_CONVEX,
  .each = each,
};
