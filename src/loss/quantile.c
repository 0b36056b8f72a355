#include "loss/loss.h"

typedef struct quantile {
  double tau;
} quantile;

static const lar_param params[] = {
  {"tau", offsetof(quantile, tau), 0.5, 0, 1, "which quantile, as a share"}, {0}};

static lar_var *each(const void *self, lar_scope *s, lar_var *pred, lar_var *target,
                     lar_var *const *extra, lar_var **scale) {
  double tau = ((const quantile *)self)->tau;
  lar_var *d = lar_sub(s, target, pred);
  return LAR_CALL2(s, maximum, lar_affine(s, d, tau, 0), lar_affine(s, d, tau - 1, 0));
}

LAR_ENTRY(loss, quantile) = {
  .name = "quantile",
  .doc = "max(tau d, (tau - 1) d), d = y - f",
  .source = "Koenker & Bassett 1978, Econometrica 46(1)",
  .params = params,
  .size = sizeof(quantile),
  .traits = LAR_LOSS_DENSE | LAR_LOSS_CONVEX,
  .each = each,
};
