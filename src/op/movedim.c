#include "op/calc.h"

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  int from, to, ndim = in[0]->t.ndim;
  lar_status st = lar_dim(a->i[0], ndim, &from);
  if (st == LAR_OK) st = lar_dim(a->i[1], ndim, &to);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  lar_attr order = {.n = ndim};
  for (int d = 0, next = 0; d < ndim; d++) {
    if (next == from) next++;
    order.i[d] = d == to ? from + 1 : ++next;
  }
  return lar_apply(s, LAR_OP(permute), &order, 1, in);
}

LAR_ENTRY(op, movedim) = {
  .name = "movedim",
  .doc = "one dimension moved to another place, the others in their order; a view",
  .args = "xdd",
  .nin = 1,
  .traits = LAR_OP_VIEW,
  .compose = compose,
};
