#include "loss/loss.h"

static lar_var *each(const void *self, lar_scope *s, lar_var *pred, lar_var *target,
                     lar_var *const *extra, lar_var **scale) {
  lar_attr half = {.f = {0.5}};
  return lar_apply(s, LAR_OP(squared_error), &half, 2, (lar_var *[]){pred, target});
}

LAR_ENTRY(loss, squared) = {
  .name = "squared",
  .doc = "(f - y)^2 / 2",
  .traits = LAR_LOSS_DENSE | LAR_LOSS_CONVEX,
  .each = each,
};
