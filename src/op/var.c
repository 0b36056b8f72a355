#include "op/variance.h"

static const lar_param params[] = {LAR_VARIANCE_PARAMS, {0}};

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  return lar_variance(s, a, in[0]);
}

LAR_ENTRY(op, var) = {
  .name = "var",
  .doc = "variance over all elements or over dimensions, with n - 1 unless unbiased = false",
  .args = "xD",
  .params = params,
  .nin = 1,
  .compose = compose,
};
