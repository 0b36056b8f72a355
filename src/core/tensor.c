#include "core/tensor.h"

#include <stdio.h>
#include <string.h>

int64_t lar_shape_numel(int ndim, const int64_t *shape) {
  int64_t n = 1;
  for (int d = 0; d < ndim; d++) n *= shape[d];
  return n;
}

void lar_shape_strides(int ndim, const int64_t *shape, int64_t *stride) {
  int64_t step = 1;
  for (int d = ndim - 1; d >= 0; d--) {
    stride[d] = step;
    step *= shape[d] > 1 ? shape[d] : 1;
  }
}

static lar_status check_shape(int ndim, const int64_t *shape, size_t size, size_t *bytes) {
  if (ndim > LAR_MAX_NDIM)
    return lar_fail(LAR_ESHAPE, "a tensor has at most %d dimensions, not %d", LAR_MAX_NDIM,
                    ndim);
  *bytes = size;
  for (int d = 0; d < ndim; d++) {
    if (shape[d] < 0)
      return lar_fail(LAR_ESHAPE, "shape %s has a negative size", lar_shape_text(ndim, shape));
    if (__builtin_mul_overflow(*bytes, (size_t)shape[d], bytes))
      return lar_fail(LAR_ENOMEM, "shape %s is too large", lar_shape_text(ndim, shape));
  }
  return LAR_OK;
}

static _Thread_local struct {
  const lar_tensor *at;
  int n;
  lar_storage *const *storage;
} place;

void lar_tensor_place(const lar_tensor *at, int n, lar_storage *const *storage) {
  place.at = at, place.n = n, place.storage = storage;
}

/* The storage that waits for `out`, or NULL. */
static lar_storage *placed(const lar_tensor *out, size_t bytes) {
  for (int k = 0; k < place.n; k++)
    if (out == &place.at[k] && place.storage[k] != NULL && place.storage[k]->bytes == bytes)
      return lar_storage_ref(place.storage[k]);
  return NULL;
}

lar_status lar_tensor_init(lar_tensor *out, lar_dtype dtype, int ndim, const int64_t *shape) {
  size_t bytes = 0;
  int64_t step = 1;
  LAR_TRY(check_shape(ndim, shape, lar_dtype_size(dtype), &bytes));
  out->offset = 0, out->dtype = dtype, out->ndim = ndim;
  for (int d = ndim - 1; d >= 0; d--) { /* shape may be out->shape */
    int64_t size = shape[d];
    out->shape[d] = size;
    out->stride[d] = step;
    step *= size > 1 ? size : 1;
  }
  if (place.n > 0 && (out->storage = placed(out, bytes)) != NULL) return LAR_OK;
  return lar_storage_new(&out->storage, bytes);
}

lar_status lar_tensor_zeros(lar_tensor *out, lar_dtype dtype, int ndim, const int64_t *shape) {
  LAR_TRY(lar_tensor_init(out, dtype, ndim, shape));
  memset(out->storage->data, 0, out->storage->bytes);
  return LAR_OK;
}

void lar_tensor_ref(lar_tensor *out, const lar_tensor *t) {
  *out = *t;
  lar_storage_ref(out->storage);
}

int64_t lar_tensor_numel(const lar_tensor *t) { return lar_shape_numel(t->ndim, t->shape); }

bool lar_tensor_is_contiguous(const lar_tensor *t) {
  int64_t step = 1;
  for (int d = t->ndim - 1; d >= 0; d--) {
    if (t->shape[d] == 0) return true;
    if (t->shape[d] != 1 && t->stride[d] != step) return false;
    step *= t->shape[d];
  }
  return true;
}

bool lar_tensor_same_shape(const lar_tensor *a, const lar_tensor *b) {
  if (a->ndim != b->ndim) return false;
  for (int d = 0; d < a->ndim; d++)
    if (a->shape[d] != b->shape[d]) return false;
  return true;
}

lar_status lar_shape_broadcast(int *ndim, int64_t *shape, const lar_tensor *a) {
  int n = *ndim > a->ndim ? *ndim : a->ndim;
  int64_t out[LAR_MAX_NDIM];
  for (int d = 1; d <= n; d++) {
    int64_t x = d <= *ndim ? shape[*ndim - d] : 1, y = d <= a->ndim ? a->shape[a->ndim - d] : 1;
    if (x != y && x != 1 && y != 1)
      return lar_fail(LAR_ESHAPE, "%s and %s do not broadcast: %lld is not %lld",
                      lar_shape_text(*ndim, shape), lar_tensor_text(a), (long long)x,
                      (long long)y);
    out[n - d] = x == 1 ? y : x;
  }
  *ndim = n;
  memcpy(shape, out, (size_t)n * sizeof *shape);
  return LAR_OK;
}

lar_status lar_tensor_expand(lar_tensor *out, const lar_tensor *t, int ndim,
                             const int64_t *shape) {
  lar_tensor v = {.storage = t->storage, .offset = t->offset, .dtype = t->dtype, .ndim = ndim};
  bool fits = ndim >= t->ndim;
  for (int d = 0; fits && d < ndim; d++) {
    int from = d - (ndim - t->ndim);
    v.shape[d] = shape[d];
    if (from < 0 || (t->shape[from] == 1 && shape[d] != 1)) continue; /* stride 0 */
    fits = t->shape[from] == shape[d];
    v.stride[d] = t->stride[from];
  }
  if (!fits)
    return lar_fail(LAR_ESHAPE, "%s cannot be expanded to %s", lar_tensor_text(t),
                    lar_shape_text(ndim, shape));
  lar_storage_ref(v.storage);
  *out = v;
  return LAR_OK;
}

lar_status lar_tensor_view(lar_tensor *out, const lar_tensor *t, int ndim,
                           const int64_t *shape) {
  if (lar_shape_numel(ndim, shape) != lar_tensor_numel(t))
    return lar_fail(LAR_ESHAPE, "%s does not hold as many elements as %s", lar_tensor_text(t),
                    lar_shape_text(ndim, shape));
  if (!lar_tensor_is_contiguous(t))
    return lar_fail(LAR_ESHAPE,
                    "a %s tensor that is not contiguous has no view of shape %s; "
                    "use reshape",
                    lar_tensor_text(t), lar_shape_text(ndim, shape));
  lar_tensor v = {.storage = t->storage, .offset = t->offset, .dtype = t->dtype, .ndim = ndim};
  if (ndim > 0) memcpy(v.shape, shape, (size_t)ndim * sizeof *shape);
  lar_shape_strides(ndim, shape, v.stride);
  lar_storage_ref(v.storage);
  *out = v;
  return LAR_OK;
}

const char *lar_shape_text(int ndim, const int64_t *shape) {
  enum { BUFFERS = 4, SIZE = 200 };
  static _Thread_local char text[BUFFERS][SIZE];
  static _Thread_local int turn;
  char *s = text[turn = (turn + 1) % BUFFERS];
  int n = snprintf(s, SIZE, "(");
  for (int d = 0; d < ndim && n < SIZE - 32; d++)
    n += snprintf(s + n, (size_t)(SIZE - n), d > 0 ? ", %lld" : "%lld", (long long)shape[d]);
  (void)snprintf(s + n, (size_t)(SIZE - n), ")");
  return s;
}

double lar_tensor_get(const lar_tensor *t, int64_t at) {
  const void *p = lar_tensor_data(t);
  switch (t->dtype) {
  case LAR_F32: return (double)((const float *)p)[at];
  case LAR_F64: return ((const double *)p)[at];
  case LAR_I64: return (double)((const int64_t *)p)[at];
  default: return ((const uint8_t *)p)[at] != 0;
  }
}

void lar_tensor_put(const lar_tensor *t, int64_t at, double v) {
  void *p = lar_tensor_data(t);
  switch (t->dtype) {
  case LAR_F32: ((float *)p)[at] = (float)v; break;
  case LAR_F64: ((double *)p)[at] = v; break;
  case LAR_I64: ((int64_t *)p)[at] = (int64_t)v; break;
  default: ((uint8_t *)p)[at] = v != 0; break;
  }
}
