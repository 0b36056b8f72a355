#include "op/variance.h"

lar_var *lar_variance(lar_scope *s, const lar_attr *a, lar_var *x) {
  bool covered[LAR_MAX_NDIM];
  double n = a->f[1] != 0 ? -1 : 0;
  int64_t count = 1;
  lar_status st = lar_dims(a, 0, x->t.ndim, covered);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  for (int d = 0; d < x->t.ndim; d++)
    if (covered[d]) count *= x->t.shape[d];
  n += (double)count;
  lar_attr keep;
  lar_attr_copy(&keep, a);
  keep.f[0] = 1;
  lar_var *mean = lar_apply(s, LAR_OP(mean), &keep, 1, &x);
  lar_var *square = LAR_CALL1(s, square, lar_sub(s, x, mean));
  lar_var *sum = square == NULL ? NULL : lar_apply(s, LAR_OP(sum), a, 1, &square);
  return lar_affine(s, sum, n > 0 ? 1 / n : (double)NAN, 0);
}
