#include <float.h>

#include "op/matrices.h"

static const lar_param params[] = {
  {"rtol", LAR_AT(0), -1, -1, 1,
   "singular values below rtol times the largest count as 0; -1: max(m, n) eps"},
  {0},
};

static lar_var *compose(lar_scope *s, const lar_attr *attr, int nin, lar_var *const *in) {
  const lar_tensor *a = &in[0]->t;
  lar_var *d = LAR_CALL1(s, singular_values, in[0]);
  if (d == NULL) return NULL;
  double eps = d->t.dtype == LAR_F32 ? (double)FLT_EPSILON : DBL_EPSILON, rtol = attr->f[0];
  int64_t m = a->shape[a->ndim - 2], n = a->shape[a->ndim - 1];
  if (rtol < 0) rtol = (double)(m > n ? m : n) * eps;
  lar_attr last = lar_attr_default(LAR_OP(count_nonzero));
  last.n = 1;
  last.i[0] = -1;
  lar_var *least =
    m == 0 || n == 0 ? d : lar_affine(s, lar_narrow(s, lar_detach(s, d), -1, 1, 1), rtol, 0);
  lar_var *over = LAR_CALL2(s, gt, d, least);
  return over == NULL ? NULL : lar_apply(s, LAR_OP(count_nonzero), &last, 1, &over);
}

LAR_ENTRY(op, matrix_rank) = {
  .name = "matrix_rank",
  .doc = "number of singular values that are not 0 to rounding",
  .args = "x",
  .params = params,
  .nin = 1,
  .compose = compose,
};
