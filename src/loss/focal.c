#include "loss/loss.h"

#define NONE (-1.0)

typedef struct focal {
  double gamma, alpha;
} focal;

static const lar_param params[] = {
  {"gamma", offsetof(focal, gamma), 2, 0, HUGE_VAL, "how much easy samples are played down"},
  {"alpha", offsetof(focal, alpha), NONE, NONE, 1,
   "factor of the loss; for two classes that of 1, 1 - alpha that of 0 (-1: none)"},
  {0},
};

/* -(1 - p)^gamma log p, from log p and log(1 - p). */
static lar_var *term(double gamma, lar_scope *s, lar_var *logp, lar_var *logq) {
  lar_var *loss = lar_neg(s, logp);
  if (gamma == 0) return loss;
  return lar_mul(s, LAR_CALL1(s, exp, lar_affine(s, logq, gamma, 0)), loss);
}

/* log of 1 - softmax(f)_y: the label's score is taken out before the sum. */
static lar_var *log_rest(lar_scope *s, lar_var *pred, lar_var *labels) {
  double low = pred->t.dtype == LAR_F32 ? -1e30 : -1e200;
  lar_attr attr = {.n = 1, .i = {2}};
  lar_var *in[] = {pred, lar_unsqueeze(s, labels, 2), lar_const_like(s, pred, low)};
  lar_var *others = lar_apply(s, LAR_OP(scatter), &attr, 3, in);
  return lar_sub(s, lar_with_dim(s, LAR_OP(logsumexp), others, 2),
                 lar_with_dim(s, LAR_OP(logsumexp), pred, 2));
}

static lar_var *classes(const focal *f, lar_scope *s, lar_var *pred, lar_var *labels) {
  lar_var *logp = lar_loss_pick(s, lar_with_dim(s, LAR_OP(log_softmax), pred, 2), labels);
  lar_var *logq = f->gamma == 0 ? NULL : log_rest(s, pred, labels);
  lar_var *e = term(f->gamma, s, logp, logq);
  return f->alpha < 0 ? e : lar_affine(s, e, f->alpha, 0);
}

static lar_var *two(const focal *f, lar_scope *s, lar_var *pred, lar_var *target) {
  lar_var *logp = LAR_CALL1(s, log_sigmoid, pred);
  lar_var *logq = LAR_CALL1(s, log_sigmoid, lar_neg(s, pred));
  double alpha = f->alpha < 0 ? 1 : f->alpha, beta = f->alpha < 0 ? 1 : 1 - f->alpha;
  lar_var *yes = lar_mul(s, lar_affine(s, target, alpha, 0), term(f->gamma, s, logp, logq));
  lar_var *no = lar_mul(s, lar_affine(s, target, -beta, beta), term(f->gamma, s, logq, logp));
  return lar_add(s, yes, no);
}

static lar_var *each(const void *self, lar_scope *s, lar_var *pred, lar_var *target,
                     lar_var *const *extra, lar_var **scale) {
  return target->t.dtype == LAR_I64 ? classes(self, s, pred, target)
                                    : two(self, s, pred, target);
}

static bool inside(double y) { return y >= 0 && y <= 1; }

LAR_ENTRY(loss, focal) = {
  .name = "focal",
  .doc = "-(1 - p)^gamma log p, p the probability of the label: softmax(f)_y for labels, "
         "sigmoid(f) or 1 - sigmoid(f) for targets of f's shape in [0, 1]",
  .source = "Lin, Goyal, Girshick, He & Dollar 2017, ICCV",
  .params = params,
  .size = sizeof(focal),
  .traits = LAR_LOSS_LABELS | LAR_LOSS_DENSE,
  .domain = "in [0, 1]",
  .inside = inside,
  .each = each,
};
