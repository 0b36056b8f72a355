#include "op/calc.h"
#include "op/slice.h"

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  const lar_tensor *x = &in[0]->t;
  bool covered[LAR_MAX_NDIM];
  lar_status st = lar_dims(a, 0, x->ndim, covered);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  lar_attr cut = lar_slice_all(x);
  for (int d = 0; d < x->ndim; d++) {
    if (!covered[d] || x->shape[d] == 0) continue;
    cut.i[4 * d] = x->shape[d] - 1;
    cut.i[4 * d + 2] = -1;
  }
  return LAR_CALL1(s, clone, lar_apply(s, LAR_OP(slice), &cut, 1, in));
}

LAR_ENTRY(op, flip) = {
  .name = "flip",
  .doc = "reversed along dimensions (all unless named)",
  .args = "xD",
  .nin = 1,
  .compose = compose,
};
