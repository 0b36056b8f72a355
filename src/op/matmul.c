#include "op/calc.h"

/* A vector counts as a row on the left and as a column on the right; the dimension made up
 * for it goes away again. */
static lar_var *compose(lar_scope *s, const lar_attr *attr, int nin, lar_var *const *in) {
  lar_var *a = in[0], *b = in[1];
  bool row = a->t.ndim == 1, column = b->t.ndim == 1;
  if (a->t.ndim == 0 || b->t.ndim == 0)
    return lar_scope_fail(s, lar_fail(LAR_ESHAPE, "%s x %s: use * with a scalar",
                                      lar_tensor_text(&a->t), lar_tensor_text(&b->t)));
  if (row) a = lar_unsqueeze(s, a, 1);
  if (column) b = lar_unsqueeze(s, b, 2);
  lar_var *c = LAR_CALL2(s, matmul2, a, b);
  if (column) c = lar_squeeze(s, c, -1);
  if (row) c = lar_squeeze(s, c, column ? -1 : -2);
  return c;
}

LAR_ENTRY(op, matmul) = {
  .name = "matmul",
  .doc = "product of matrices and vectors; leading dimensions are batches and broadcast",
  .args = "xx",
  .nin = 2,
  .compose = compose,
};
