#include "op/reduce.h"

static const lar_param params[] = {LAR_KEEPDIM, {0}};

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  lar_var *zeros = LAR_CALL1(s, logical_not, in[0]);
  lar_var *any = zeros == NULL ? NULL : lar_apply(s, LAR_OP(any), a, 1, &zeros);
  return LAR_CALL1(s, logical_not, any);
}

LAR_ENTRY(op, all) = {
  .name = "all",
  .doc = "are all elements not 0? Over all or over dimensions, as bool",
  .args = "xD",
  .params = params,
  .nin = 1,
  .compose = compose,
};
