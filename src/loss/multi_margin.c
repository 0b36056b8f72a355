#include "loss/loss.h"

typedef struct multi_margin {
  double margin, p;
} multi_margin;

static const lar_param params[] = {
  {"margin", offsetof(multi_margin, margin), 1, 0, HUGE_VAL,
   "by which the label's score leads"},
  {"p", offsetof(multi_margin, p), 1, 1, 2, "power of a lacking margin", LAR_INTEGER},
  {0},
};

/* The sum over all k, less what k = y adds to it: margin^p, a constant. */
static lar_var *each(const void *self, lar_scope *s, lar_var *pred, lar_var *target,
                     lar_var *const *extra, lar_var **scale) {
  const multi_margin *m = self;
  lar_var *own = lar_unsqueeze(s, lar_loss_pick(s, pred, target), 2);
  lar_var *gap = lar_affine(s, lar_sub(s, pred, own), 1, m->margin);
  gap = LAR_CALL1(s, relu, gap);
  if (m->p == 2) gap = LAR_CALL1(s, square, gap);
  double share = 1 / (double)pred->t.shape[1];
  return lar_affine(s, lar_sum_dim(s, gap, 2, false), share, -share * pow(m->margin, m->p));
}

LAR_ENTRY(loss, multi_margin) = {
  .name = "multi_margin",
  .doc = "sum over k other than y of max(0, margin - f_y + f_k)^p, over K",
  .params = params,
  .size = sizeof(multi_margin),
  .traits = LAR_LOSS_LABELS | LAR_LOSS_ROWS | LAR_LOSS_CONVEX,
  .each = each,
};
