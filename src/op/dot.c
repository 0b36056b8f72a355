#include "op/calc.h"

static lar_var *compose(lar_scope *s, const lar_attr *attr, int nin, lar_var *const *in) {
  const lar_tensor *a = &in[0]->t, *b = &in[1]->t;
  if (a->ndim != 1 || b->ndim != 1 || a->shape[0] != b->shape[0])
    return lar_scope_fail(s, lar_fail(LAR_ESHAPE, "%s and %s: two vectors of one length wanted",
                                      lar_tensor_text(a), lar_tensor_text(b)));
  return lar_matmul(s, in[0], in[1]);
}

LAR_ENTRY(op, dot) = {
  .name = "dot",
  .doc = "scalar product of two vectors",
  .args = "xx",
  .nin = 2,
  .compose = compose,
};
