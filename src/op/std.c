#include "op/variance.h"

static const lar_param params[] = {LAR_VARIANCE_PARAMS, {0}};

/* The root of 0 has no slope; 0 stands in, as in PyTorch. */
static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  lar_var *var = lar_variance(s, a, in[0]);
  lar_var *flat = LAR_CALL2(s, eq, var, lar_const_like(s, var, 0));
  lar_var *safe = lar_where(s, flat, lar_const_like(s, var, 1), var);
  return lar_where(s, flat, lar_const_like(s, var, 0), LAR_CALL1(s, sqrt, safe));
}

LAR_ENTRY(op, std) = {
  .name = "std",
  .doc = "standard deviation over all elements or over dimensions; derivative 0 where it is 0",
  .args = "xD",
  .params = params,
  .nin = 1,
  .compose = compose,
};
