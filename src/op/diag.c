#include "op/calc.h"

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  int64_t k = lar_attr_int(a, 0);
  if (in[0]->t.ndim != 1) return lar_apply(s, LAR_OP(diagonal), a, 1, in);
  if (k != LAR_NONE && (k > INT32_MAX || k < -INT32_MAX))
    return lar_scope_fail(s,
                          lar_fail(LAR_ESHAPE, "diagonal %lld is too far out", (long long)k));
  int64_t n = in[0]->t.shape[0] + (k == LAR_NONE ? 0 : k < 0 ? -k : k);
  lar_var *like = lar_expand(s, lar_const_like(s, in[0], 0), 2, (int64_t[]){n, n});
  return lar_apply(s, LAR_OP(undiagonal), a, 2, (lar_var *[]){in[0], like});
}

LAR_ENTRY(op, diag) = {
  .name = "diag",
  .doc = "a vector as the k-th diagonal of a matrix, or that diagonal of a matrix",
  .args = "xi?",
  .nin = 1,
  .compose = compose,
};
