#include "op/calc.h"
#include "op/slice.h"

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  const lar_tensor *x = &in[0]->t;
  int d;
  int64_t at;
  lar_status st = lar_dim(a->i[0], x->ndim, &d);
  if (st == LAR_OK) st = lar_index(a->i[1], x->shape[d], &at);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  lar_attr cut = lar_slice_all(x);
  cut.i[4 * d] = at;
  cut.i[4 * d + 1] = 1;
  cut.i[4 * d + 3] = 1;
  return lar_apply(s, LAR_OP(slice), &cut, 1, in);
}

LAR_ENTRY(op, select) = {
  .name = "select",
  .doc = "one index of a dimension, which goes away; a view: select(dim, index)",
  .args = "xdi",
  .nin = 1,
  .compose = compose,
};
