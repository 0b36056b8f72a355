#include "op/reduce.h"

#include "kern/reduce.h"

lar_var *lar_unreduce(lar_scope *s, lar_var *g, lar_var *x, const lar_attr *a) {
  bool covered[LAR_MAX_NDIM];
  int64_t shape[LAR_MAX_NDIM];
  lar_status st = lar_dims(a, 0, x->t.ndim, covered);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  int ndim = lar_reduce_shape(&x->t, covered, true, shape);
  return lar_expand(s, lar_reshape(s, g, ndim, shape), x->t.ndim, x->t.shape);
}
