#include "op/calc.h"

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  return lar_apply(s, LAR_OP(polygamma), NULL, 1, in);
}

LAR_ENTRY(op, digamma) = {
  .name = "digamma",
  .doc = "derivative of lgamma",
  .args = "x",
  .nin = 1,
  .compose = compose,
};
