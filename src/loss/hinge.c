#include "loss/loss.h"

static bool inside(double y) { return y == 1 || y == -1; }

static lar_var *each(const void *self, lar_scope *s, lar_var *pred, lar_var *target,
                     lar_var *const *extra, lar_var **scale) {
  return LAR_CALL1(s, relu, lar_affine(s, lar_mul(s, target, pred), -1, 1));
}

LAR_ENTRY(loss, hinge) = {
  .name = "hinge",
  .doc = "max(0, 1 - y f) for y = -1 or 1",
  .source = "Cortes & Vapnik 1995, Machine Learning 20",
  .traits = LAR_LOSS_DENSE | LAR_LOSS_CONVEX,
  .domain = "-1 or 1",
  .inside = inside,
  .each = each,
};
