#include "op/matrices.h"

/* The second of svd's three: a value of its own, so that formulas can name it. */
static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  lar_var *out[LAR_MAX_OUT];
  int nout;
  lar_status st = lar_op_apply(LAR_OP(svd), NULL, 1, in, &nout, out);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  lar_var_unref(out[0]);
  lar_var_unref(out[2]);
  return lar_scope_own(s, out[1]);
}

LAR_ENTRY(op, singular_values) = {
  .name = "singular_values",
  .doc = "singular values of a matrix, falling",
  .args = "x",
  .nin = 1,
  .compose = compose,
};
