#include "op/calc.h"

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  if (in[1]->t.dtype != LAR_BOOL)
    return lar_scope_fail(
      s, lar_fail(LAR_EDTYPE, "a mask must be bool, not %s", lar_dtype_name(in[1]->t.dtype)));
  return lar_where(s, in[1], in[2], in[0]);
}

LAR_ENTRY(op, masked_fill) = {
  .name = "masked_fill",
  .doc = "masked_fill(mask, value): value where the mask is true, else x",
  .args = "xxx",
  .nin = 3,
  .compose = compose,
};
