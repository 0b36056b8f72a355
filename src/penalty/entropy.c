#include "penalty/activation.h"

typedef struct none {
  char unused;
} none;

/* sum p log p of classes along the last dimension */
static lar_var *classes(lar_scope *s, lar_var *z) {
  lar_var *log_p = lar_with_dim(s, LAR_OP(log_softmax), z, -1);
  return lar_sum(s, lar_mul(s, LAR_CALL1(s, exp, log_p), log_p));
}

/* p log p + q log q of single logits */
static lar_var *single(lar_scope *s, lar_var *z) {
  lar_var *p = LAR_CALL1(s, sigmoid, z), *minus = lar_neg(s, z);
  lar_var *yes = lar_mul(s, p, LAR_CALL1(s, log_sigmoid, z));
  lar_var *no = lar_mul(s, lar_affine(s, p, -1, 1), LAR_CALL1(s, log_sigmoid, minus));
  return lar_sum(s, lar_add(s, yes, no));
}

static lar_var *forward(const void *self, lar_scope *s, const lar_pass *pass) {
  const lar_tensor *t = &pass->pred->t;
  int64_t k = t->ndim > 1 ? t->shape[t->ndim - 1] : 1, n = lar_tensor_numel(t);
  lar_var *sum = k > 1 ? classes(s, pass->pred) : single(s, pass->pred);
  return lar_affine(s, sum, n > 0 ? (double)k / (double)n : 0, 0);
}

LAR_ENTRY(penalty, entropy) = {
  .name = "entropy",
  .doc = "confidence penalty: minus the entropy of the predicted probabilities",
  .source = "Pereyra, Tucker, Chorowski, Kaiser & Hinton 2017, arXiv:1701.06548",
  .formula = "-lambda mean_i H(softmax(f(x_i)))",
  .size = sizeof(none),
  .traits = LAR_SMOOTH | LAR_FORWARD,
  .forward = forward,
};
