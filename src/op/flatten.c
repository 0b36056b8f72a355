#include "op/calc.h"

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  const lar_tensor *x = &in[0]->t;
  int64_t shape[LAR_MAX_NDIM] = {1}, from = lar_attr_int(a, 0), to = lar_attr_int(a, 1);
  int first, last, n = 0;
  if (x->ndim == 0) return lar_reshape(s, in[0], 1, shape);
  lar_status st = lar_dim(from == LAR_NONE ? 1 : from, x->ndim, &first);
  if (st == LAR_OK) st = lar_dim(to == LAR_NONE ? -1 : to, x->ndim, &last);
  if (st == LAR_OK && first > last)
    st = lar_fail(LAR_ESHAPE, "dimension %d does not come before %d", first + 1, last + 1);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  for (int d = 0; d < x->ndim; d++)
    if (d > first && d <= last)
      shape[n - 1] *= x->shape[d];
    else
      shape[n++] = x->shape[d];
  return lar_reshape(s, in[0], n, shape);
}

LAR_ENTRY(op, flatten) = {
  .name = "flatten",
  .doc = "dimensions from..to made one (all unless named): flatten(from, to)",
  .args = "xi?i?",
  .nin = 1,
  .traits = LAR_OP_VIEW,
  .compose = compose,
};
