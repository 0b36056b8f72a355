#include "op/calc.h"

static lar_var *compose(lar_scope *s, const lar_attr *attr, int nin, lar_var *const *in) {
  const lar_tensor *a = &in[0]->t, *b = &in[1]->t;
  if (a->ndim != 1 || b->ndim != 1)
    return lar_scope_fail(s, lar_fail(LAR_ESHAPE, "%s and %s: two vectors wanted",
                                      lar_tensor_text(a), lar_tensor_text(b)));
  return lar_mul(s, lar_unsqueeze(s, in[0], 2), in[1]);
}

LAR_ENTRY(op, outer) = {
  .name = "outer",
  .doc = "every product of an element of a vector with one of another, as a matrix",
  .args = "xx",
  .nin = 2,
  .compose = compose,
};
