#include "op/reduce.h"

static const lar_param params[] = {LAR_KEEPDIM, {0}};

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  return lar_cast(s, lar_apply(s, LAR_OP(count_nonzero), a, 1, in), LAR_BOOL);
}

LAR_ENTRY(op, any) = {
  .name = "any",
  .doc = "is an element not 0? Over all or over dimensions, as bool",
  .args = "xD",
  .params = params,
  .nin = 1,
  .compose = compose,
};
