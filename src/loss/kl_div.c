#include "loss/loss.h"

typedef struct kl_div {
  double log_target;
} kl_div;

static const lar_param params[] = {
  {"log_target", offsetof(kl_div, log_target), 0, 0, 1, "the target holds logarithms too",
   LAR_FLAG},
  {0},
};

/* y log y, 0 at 0 */
static lar_var *self_entropy(lar_scope *s, lar_var *y) {
  lar_var *some = LAR_CALL2(s, gt, y, lar_const_like(s, y, 0));
  lar_var *z = lar_where(s, some, y, lar_const_like(s, y, 1));
  return lar_mul(s, z, LAR_CALL1(s, log, z));
}

static lar_var *each(const void *self, lar_scope *s, lar_var *pred, lar_var *target,
                     lar_var *const *extra, lar_var **scale) {
  if (((const kl_div *)self)->log_target != 0)
    return lar_mul(s, LAR_CALL1(s, exp, target), lar_sub(s, target, pred));
  return lar_sub(s, self_entropy(s, target), lar_mul(s, target, pred));
}

LAR_ENTRY(loss, kl_div) = {
  .name = "kl_div",
  .doc = "y (log y - f) for probabilities y and log-probabilities f; its mean over rows is "
         "reduction = \"batchmean\"",
  .source = "Kullback & Leibler 1951, Annals of Mathematical Statistics 22(1)",
  .params = params,
  .size = sizeof(kl_div),
  .traits = LAR_LOSS_DENSE,
  .each = each,
};
