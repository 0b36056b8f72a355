#include "op/along.h"

#include "kern/copy.h"

lar_status lar_along_init(lar_along *a, const lar_tensor *x, int64_t d, lar_dtype t) {
  *a = (lar_along){.sizes = {1, 1, 1}};
  if (x->ndim > 0 || (d != LAR_NONE && d != 1 && d != -1))
    LAR_TRY(lar_dim(d == LAR_NONE ? -1 : d, x->ndim, &a->dim));
  for (int e = 0; e < x->ndim; e++)
    a->sizes[e < a->dim ? 0 : e == a->dim ? 1 : 2] *= x->shape[e];
  return lar_contiguous(&a->t, x, t);
}

lar_dtype lar_float_dtype(lar_dtype t) { return lar_dtype_is_float(t) ? t : lar_default_dtype; }

lar_status lar_along_index(const lar_tensor *x, const lar_tensor *index, int d) {
  if (index->dtype != LAR_I64)
    return lar_fail(LAR_EDTYPE, "indices must be int64, not %s", lar_dtype_name(index->dtype));
  bool fits = index->ndim == x->ndim;
  for (int e = 0; fits && e < x->ndim; e++) fits = e == d || index->shape[e] <= x->shape[e];
  if (!fits)
    return lar_fail(LAR_ESHAPE, "indices of shape %s do not fit %s", lar_tensor_text(index),
                    lar_tensor_text(x));
  return LAR_OK;
}
