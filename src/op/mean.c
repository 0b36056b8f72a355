#include "op/reduce.h"

static const lar_param params[] = {LAR_KEEPDIM, {0}};

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  bool covered[LAR_MAX_NDIM];
  lar_status st = lar_dims(a, 0, in[0]->t.ndim, covered);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  double n = 1;
  for (int d = 0; d < in[0]->t.ndim; d++)
    if (covered[d]) n *= (double)in[0]->t.shape[d];
  return lar_affine(s, lar_apply(s, LAR_OP(sum), a, 1, in), 1 / n, 0);
}

LAR_ENTRY(op, mean) = {
  .name = "mean",
  .doc = "mean over all elements or over dimensions",
  .args = "xD",
  .params = params,
  .nin = 1,
  .compose = compose,
};
