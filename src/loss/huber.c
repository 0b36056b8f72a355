#include "loss/loss.h"

typedef struct huber {
  double delta;
} huber;

static const lar_param params[] = {
  {"delta", offsetof(huber, delta), 1, LAR_ABOVE0, HUGE_VAL, "where squares become lines"},
  {0}};

/* c (d - c / 2) with c = d held within delta of 0: d^2 / 2 inside, delta (|d| - delta / 2) out.
 */
static lar_var *each(const void *self, lar_scope *s, lar_var *pred, lar_var *target,
                     lar_var *const *extra, lar_var **scale) {
  double delta = ((const huber *)self)->delta;
  lar_var *d = lar_sub(s, pred, target), *c = lar_clamp(s, d, -delta, delta);
  return lar_mul(s, c, lar_sub(s, d, lar_affine(s, c, 0.5, 0)));
}

LAR_ENTRY(loss, huber) = {
  .name = "huber",
  .doc = "d^2 / 2 where |d| <= delta, delta (|d| - delta / 2) elsewhere, d = f - y",
  .source = "Huber 1964, Annals of Mathematical Statistics 35(1)",
  .params = params,
  .size = sizeof(huber),
  .traits = LAR_LOSS_DENSE | LAR_LOSS_CONVEX,
  .each = each,
};
