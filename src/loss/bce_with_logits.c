#include "loss/loss.h"

static bool inside(double y) { return y >= 0 && y <= 1; }

/* Both terms are exact however large f is; neither is a difference of large numbers. */
static lar_var *each(const void *self, lar_scope *s, lar_var *pred, lar_var *target,
                     lar_var *const *extra, lar_var **scale) {
  lar_var *yes = lar_mul(s, target, LAR_CALL1(s, softplus, lar_neg(s, pred)));
  lar_var *no = lar_mul(s, lar_affine(s, target, -1, 1), LAR_CALL1(s, softplus, pred));
  return lar_add(s, extra[0] == NULL ? yes : lar_mul(s, yes, extra[0]), no);
}

LAR_ENTRY(loss, bce_with_logits) = {
  .name = "bce_with_logits",
  .doc = "-y log sigmoid(f) - (1 - y) log sigmoid(-f), y in [0, 1]",
  .traits = LAR_LOSS_DENSE | LAR_LOSS_CONVEX,
  .extra = "pos_weight",
  .domain = "in [0, 1]",
  .inside = inside,
  .each = each,
};
