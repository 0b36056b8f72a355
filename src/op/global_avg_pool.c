#include "op/calc.h"

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  const lar_tensor *x = &in[0]->t;
  if (x->ndim < 3 || lar_tensor_numel(x) == 0)
    return lar_scope_fail(s, lar_fail(LAR_ESHAPE,
                                      "input %s is not (samples, channels, places ...)",
                                      lar_tensor_text(x)));
  lar_attr dims = lar_attr_default(LAR_OP(mean));
  for (int d = 3; d <= x->ndim; d++) dims.i[dims.n++] = d;
  return lar_apply(s, LAR_OP(mean), &dims, 1, in);
}

LAR_ENTRY(op, global_avg_pool) = {
  .name = "global_avg_pool",
  .doc = "the mean of each channel: (n, c, ...) to (n, c)",
  .args = "x",
  .nin = 1,
  .compose = compose,
};
