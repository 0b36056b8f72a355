#include "loss/loss.h"

static lar_var *each(const void *self, lar_scope *s, lar_var *pred, lar_var *target,
                     lar_var *const *extra, lar_var **scale) {
  return lar_affine(s, LAR_CALL1(s, square, lar_sub(s, pred, target)), 0.5, 0);
}

LAR_ENTRY(loss, squared) = {
  .name = "squared",
  .doc = "(f - y)^2 / 2",
  .traits = LAR_LOSS_DENSE,
  .each = each,
};
