#include "op/calc.h"

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  return lar_sum_dim(s, lar_apply(s, LAR_OP(diagonal), NULL, 1, in), -1, false);
}

LAR_ENTRY(op, trace) = {
  .name = "trace",
  .doc = "sum of the main diagonal of the last two dimensions",
  .args = "x",
  .nin = 1,
  .compose = compose,
};
