/*
 * core/tensor - shape, strides and dtype over a counted storage.
 *
 * Floor:    core (may include: core).
 * Contract: a lar_tensor is a small value; several may look at one storage (views). One
 *           that is all zeros holds nothing and is safe to clear. Strides count elements.
 *           Elements are not touched here: copying and arithmetic are in kern.
 */
#ifndef LAR_CORE_TENSOR_H
#define LAR_CORE_TENSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/dtype.h"
#include "core/status.h"
#include "core/storage.h"

enum { LAR_MAX_NDIM = 8 };

typedef struct lar_tensor {
  lar_storage *storage;
  int64_t offset; /* elements from the storage's start to the first */
  lar_dtype dtype;
  int ndim;
  int64_t shape[LAR_MAX_NDIM], stride[LAR_MAX_NDIM];
} lar_tensor;

/* A fresh contiguous tensor; elements undefined, or zero. */
lar_status lar_tensor_init(lar_tensor *out, lar_dtype dtype, int ndim, const int64_t *shape);
lar_status lar_tensor_zeros(lar_tensor *out, lar_dtype dtype, int ndim, const int64_t *shape);

/* Until the next call, on this thread, a tensor that is made at[k] takes storage[k] (a new
 * reference) when that has the right size, instead of a block of its own. n 0: no more. */
void lar_tensor_place(const lar_tensor *at, int n, lar_storage *const *storage);

/* Let go of the storage; idempotent. */
static inline void lar_tensor_clear(lar_tensor *t) {
  if (t->storage != NULL) lar_storage_unref(t->storage);
  t->storage = NULL;
}

/* Another view of the same elements. */
void lar_tensor_ref(lar_tensor *out, const lar_tensor *t);

int64_t lar_tensor_numel(const lar_tensor *t);
bool lar_tensor_is_contiguous(const lar_tensor *t);

/* Address of the first element. */
static inline void *lar_tensor_data(const lar_tensor *t) {
  return (char *)t->storage->data + t->offset * (int64_t)lar_dtype_size(t->dtype);
}

bool lar_tensor_same_shape(const lar_tensor *a, const lar_tensor *b);

/* Row-major strides of a shape. */
void lar_shape_strides(int ndim, const int64_t *shape, int64_t *stride);
int64_t lar_shape_numel(int ndim, const int64_t *shape);

/* NumPy's rule for two shapes; LAR_ESHAPE (message without the op's name) when they clash. */
lar_status lar_shape_broadcast(int *ndim, int64_t *shape, const lar_tensor *a);

/* "t" seen as `shape`, repeated along dimensions of size 1 by stride 0. */
lar_status lar_tensor_expand(lar_tensor *out, const lar_tensor *t, int ndim,
                             const int64_t *shape);

/* "t" with another shape of as many elements; a view, so t must be contiguous. */
lar_status lar_tensor_view(lar_tensor *out, const lar_tensor *t, int ndim,
                           const int64_t *shape);

/* "(3, 4)" for messages: written into one of a few rotating per-thread buffers. */
const char *lar_shape_text(int ndim, const int64_t *shape);
static inline const char *lar_tensor_text(const lar_tensor *t) {
  return lar_shape_text(t->ndim, t->shape);
}

/* One element by its offset in elements from the first; bool as 0 or 1. */
double lar_tensor_get(const lar_tensor *t, int64_t at);
void lar_tensor_put(const lar_tensor *t, int64_t at, double v);

#endif
