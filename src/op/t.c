#include "op/calc.h"

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  if (in[0]->t.ndim < 2) return in[0];
  if (in[0]->t.ndim == 2) return lar_transpose(s, in[0], 1, 2);
  return lar_scope_fail(s, lar_fail(LAR_ESHAPE, "%s is not a matrix; use transpose or permute",
                                    lar_tensor_text(&in[0]->t)));
}

LAR_ENTRY(op, t) = {
  .name = "t",
  .doc = "a matrix with rows and columns exchanged; a vector stays; a view",
  .args = "x",
  .nin = 1,
  .traits = LAR_OP_VIEW,
  .compose = compose,
};
