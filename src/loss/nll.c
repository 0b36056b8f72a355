#include "loss/loss.h"

static lar_var *each(const void *self, lar_scope *s, lar_var *pred, lar_var *target,
                     lar_var *const *extra, lar_var **scale) {
  lar_var *own = lar_loss_pick(s, pred, target);
  if (extra[0] != NULL) {
    *scale = lar_loss_lookup(s, extra[0], target);
    own = lar_mul(s, own, *scale);
  }
  return lar_neg(s, own);
}

LAR_ENTRY(loss, nll) = {
  .name = "nll",
  .doc = "-f_y for a label y and log-probabilities f",
  .traits = LAR_LOSS_LABELS | LAR_LOSS_ROWS,
  .extra = "class_weight",
  .each = each,
};
