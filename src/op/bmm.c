#include "op/calc.h"

static lar_var *compose(lar_scope *s, const lar_attr *attr, int nin, lar_var *const *in) {
  const lar_tensor *a = &in[0]->t, *b = &in[1]->t;
  if (a->ndim != 3 || b->ndim != 3 || a->shape[0] != b->shape[0])
    return lar_scope_fail(s, lar_fail(LAR_ESHAPE,
                                      "%s x %s: two batches of as many matrices wanted",
                                      lar_tensor_text(a), lar_tensor_text(b)));
  return lar_matmul(s, in[0], in[1]);
}

LAR_ENTRY(op, bmm) = {
  .name = "bmm",
  .doc = "products of the matrices of two batches, pair by pair",
  .args = "xx",
  .nin = 2,
  .compose = compose,
};
