#include "op/shape.h"

#include "op/slice.h"

lar_status lar_shape_infer(const lar_attr *a, const lar_tensor *x, int64_t *shape) {
  int64_t known = 1, total = lar_tensor_numel(x);
  int hole = -1;
  if (a->n > LAR_MAX_NDIM)
    return lar_fail(LAR_ESHAPE, "a tensor has at most %d dimensions, not %d", LAR_MAX_NDIM,
                    a->n);
  for (int d = 0; d < a->n; d++) {
    shape[d] = a->i[d];
    if (shape[d] >= 0 && __builtin_mul_overflow(known, shape[d], &known))
      return lar_fail(LAR_ESHAPE, "shape %s is too large", lar_shape_text(a->n, a->i));
    if (shape[d] >= 0) continue;
    if (shape[d] == -1 && hole < 0)
      hole = d;
    else
      return lar_fail(LAR_ESHAPE, "shape %s has more than one -1 or a negative size",
                      lar_shape_text(a->n, a->i));
  }
  if (hole >= 0 && known > 0 && total % known == 0)
    shape[hole] = total / known;
  else if (hole >= 0 || known != total)
    return lar_fail(LAR_ESHAPE, "%s has %lld elements and cannot take the shape %s",
                    lar_tensor_text(x), (long long)total, lar_shape_text(a->n, a->i));
  return LAR_OK;
}

lar_attr lar_slice_all(const lar_tensor *x) {
  lar_attr a = {.n = 4 * x->ndim};
  for (int d = 0; d < x->ndim; d++) {
    a.i[4 * d + 1] = x->shape[d];
    a.i[4 * d + 2] = 1;
  }
  return a;
}
