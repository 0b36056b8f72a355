#include "core/mem.h"
#include "op/calc.h"

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  int64_t d = lar_attr_int(a, 0);
  void *p;
  for (int k = 1; k < nin; k++)
    if (!lar_tensor_same_shape(&in[0]->t, &in[k]->t))
      return lar_scope_fail(s,
                            lar_fail(LAR_ESHAPE, "%s and %s are not of one shape",
                                     lar_tensor_text(&in[0]->t), lar_tensor_text(&in[k]->t)));
  lar_status st = lar_alloc_raw(&p, (size_t)nin, sizeof(lar_var *));
  if (st != LAR_OK) return lar_scope_fail(s, st);
  lar_var **wide = p;
  for (int k = 0; k < nin; k++) wide[k] = lar_unsqueeze(s, in[k], d == LAR_NONE ? 1 : d);
  lar_var *y = lar_apply(s, LAR_OP(cat), a, nin, wide);
  lar_free(p);
  return y;
}

LAR_ENTRY(op, stack) = {
  .name = "stack",
  .doc = "tensors of one shape joined along a new dimension (the first unless named)",
  .args = "Xi?",
  .nin = -1,
  .compose = compose,
};
