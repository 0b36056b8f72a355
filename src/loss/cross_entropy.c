#include "loss/loss.h"

typedef struct cross_entropy {
  double smoothing;
} cross_entropy;

static const lar_param params[] = {
  {"label_smoothing", offsetof(cross_entropy, smoothing), 0, 0, 1,
   "share of the target spread evenly over the classes"},
  {0},
};

static lar_var *weighed(lar_scope *s, lar_var *logp, lar_var *class_weight) {
  return class_weight == NULL ? logp : lar_mul(s, logp, class_weight);
}

/* (1 - a) w_y L + a/K sum_k w_k L_k, where L_k is the loss if k were the label. */
static lar_var *by_label(double a, lar_scope *s, lar_var *pred, lar_var *labels, lar_var *w,
                         lar_var **scale) {
  lar_var *own = LAR_CALL2(s, cross_entropy, pred, labels);
  if (w != NULL) {
    *scale = lar_loss_lookup(s, w, labels);
    own = lar_mul(s, own, *scale);
  }
  if (a == 0) return own;
  lar_var *logp = weighed(s, lar_with_dim(s, LAR_OP(log_softmax), pred, 2), w);
  lar_var *all = lar_mean_dim(s, logp, 2, false);
  return lar_add(s, lar_affine(s, own, 1 - a, 0), lar_affine(s, all, -a, 0));
}

static lar_var *each(const void *self, lar_scope *s, lar_var *pred, lar_var *target,
                     lar_var *const *extra, lar_var **scale) {
  double a = ((const cross_entropy *)self)->smoothing;
  if (target->t.dtype == LAR_I64) return by_label(a, s, pred, target, extra[0], scale);
  lar_var *logp = lar_with_dim(s, LAR_OP(log_softmax), pred, 2);
  if (a > 0) target = lar_affine(s, target, 1 - a, a / (double)pred->t.shape[1]);
  lar_var *terms = lar_mul(s, target, weighed(s, logp, extra[0]));
  return lar_neg(s, lar_sum_dim(s, terms, 2, false));
}

LAR_ENTRY(loss, cross_entropy) = {
  .name = "cross_entropy",
  .doc = "-log softmax(f)_y for a label y, -sum_k y_k log softmax(f)_k for probabilities y",
  .params = params,
  .size = sizeof(cross_entropy),
  .traits = LAR_LOSS_LABELS | LAR_LOSS_DENSE | LAR_LOSS_ROWS | LAR_LOSS_CONVEX,
  .extra = "class_weight",
  .each = each,
};
