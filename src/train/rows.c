/* Rows of tensors: batches, and a look for values that are not numbers. */
#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "kern/copy.h"
#include "train/fit.h"

void lar_batch_clear(lar_batch *b) {
  lar_var_unref(b->x);
  lar_var_unref(b->y);
  lar_var_unref(b->weight);
  *b = (lar_batch){0};
}

lar_status lar_rows(lar_tensor *out, const lar_tensor *t, const int64_t *order, int64_t begin,
                    int64_t end) {
  lar_tensor part = *t, whole = {0};
  part.shape[0] = end - begin;
  if (order == NULL) { /* a view */
    part.offset += begin * t->stride[0];
    lar_tensor_ref(out, &part);
    return LAR_OK;
  }
  LAR_TRY(lar_contiguous(&whole, t, t->dtype));
  lar_status st = lar_tensor_init(out, t->dtype, t->ndim, part.shape);
  if (st == LAR_OK) {
    size_t row = (size_t)lar_shape_numel(t->ndim - 1, t->shape + 1) * lar_dtype_size(t->dtype);
    const char *from = lar_tensor_data(&whole);
    char *to = lar_tensor_data(out);
    for (int64_t k = begin; k < end; k++, to += row)
      memcpy(to, from + (size_t)order[k] * row, row);
  }
  lar_tensor_clear(&whole);
  return st;
}

lar_status lar_check_finite(const char *what, const lar_tensor *t) {
  if (!lar_dtype_is_float(t->dtype) || t->ndim == 0) return LAR_OK;
  lar_tensor flat = {0};
  LAR_TRY(lar_contiguous(&flat, t, t->dtype));
  int64_t n = lar_tensor_numel(t), cols = t->shape[0] > 0 ? n / t->shape[0] : 0, bad = -1;
  if (t->dtype == LAR_F32) {
    const float *x = lar_tensor_data(&flat);
    for (int64_t i = 0; i < n && bad < 0; i++)
      if (!isfinite(x[i])) bad = i;
  } else {
    const double *x = lar_tensor_data(&flat);
    for (int64_t i = 0; i < n && bad < 0; i++)
      if (!isfinite(x[i])) bad = i;
  }
  lar_status st = LAR_OK;
  if (bad >= 0)
    st = lar_fail(
      LAR_EARG, "%s has %g in column %lld (row %lld); drop or fill such values first", what,
      lar_tensor_get(&flat, bad), (long long)(bad % cols + 1), (long long)(bad / cols + 1));
  lar_tensor_clear(&flat);
  return st;
}
