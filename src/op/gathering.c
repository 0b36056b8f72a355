#include "core/mem.h"
#include "kern/copy.h"
#include "op/along.h"
#include "op/gather.h"
#include "op/slice.h"

/* Row by row of index; dimension d of x is stepped by what the index says. */
static lar_status places(int64_t *to, const lar_tensor *x, const lar_tensor *index,
                         const int64_t *id, int d) {
  int64_t stride[LAR_MAX_NDIM], at[LAR_MAX_NDIM] = {0}, base = 0;
  int64_t n = lar_tensor_numel(index), own = 0, i;
  int last = x->ndim - 1;
  lar_shape_strides(x->ndim, x->shape, stride);
  if (x->ndim > 0) own = stride[d], stride[d] = 0;
  int64_t size = x->ndim > 0 ? x->shape[d] : 1, row = x->ndim > 0 ? index->shape[last] : 1;
  int64_t step = x->ndim > 0 ? stride[last] : 0;
  for (int64_t k = 0; k < n; k += row) {
    for (int64_t c = 0; c < row; c++) {
      i = id[k + c] - 1;
      if (i < 0 || i >= size) LAR_TRY(lar_index(id[k + c], size, &i));
      to[k + c] = base + c * step + i * own;
    }
    for (int e = last - 1; e >= 0; e--) {
      base += stride[e];
      if (++at[e] < index->shape[e]) break;
      base -= at[e] * stride[e];
      at[e] = 0;
    }
  }
  return LAR_OK;
}

lar_status lar_gather_places(int64_t **out, const lar_tensor *x, const lar_tensor *index,
                             int64_t d) {
  lar_tensor id = {0};
  lar_status st = LAR_OK;
  void *p = NULL;
  int dim = 0;
  *out = NULL;
  if (x->ndim > 0) LAR_TRY(lar_dim(d, x->ndim, &dim));
  LAR_TRY(lar_along_index(x, index, dim));
  LAR_GO(lar_contiguous(&id, index, LAR_I64));
  LAR_GO(lar_alloc_raw(&p, (size_t)lar_tensor_numel(index), sizeof **out));
  LAR_GO(places(p, x, index, lar_tensor_data(&id), dim));
  *out = p;
  p = NULL;
done:
  lar_free(p);
  lar_tensor_clear(&id);
  return st;
}

void lar_gather_pick(const lar_tensor *y, const lar_tensor *x, const int64_t *at) {
  int64_t n = lar_tensor_numel(y);
  void *to = lar_tensor_data(y);
  const void *from = lar_tensor_data(x);
  switch (lar_dtype_size(y->dtype)) {
  case 8:
    for (int64_t k = 0; k < n; k++) ((uint64_t *)to)[k] = ((const uint64_t *)from)[at[k]];
    break;
  case 4:
    for (int64_t k = 0; k < n; k++) ((uint32_t *)to)[k] = ((const uint32_t *)from)[at[k]];
    break;
  default:
    for (int64_t k = 0; k < n; k++) ((uint8_t *)to)[k] = ((const uint8_t *)from)[at[k]];
  }
}

#define STORE(type, op)           \
  for (int64_t k = 0; k < n; k++) \
  ((type *)lar_tensor_data(out))[at[k]] op((const type *)lar_tensor_data(src))[k * step]

static void store(const lar_tensor *out, const lar_tensor *src, const int64_t *at, int64_t n,
                  int64_t step, bool add) {
  switch (out->dtype) {
  case LAR_F32:
    if (add)
      STORE(float, +=);
    else
      STORE(float, =);
    break;
  case LAR_F64:
    if (add)
      STORE(double, +=);
    else
      STORE(double, =);
    break;
  case LAR_I64:
    if (add)
      STORE(int64_t, +=);
    else
      STORE(int64_t, =);
    break;
  default:
    if (add)
      STORE(uint8_t, |=);
    else
      STORE(uint8_t, =);
  }
}

/* src cut to index's shape, in x's dtype. */
static lar_status source(lar_tensor *out, const lar_tensor *src, const lar_tensor *index,
                         lar_dtype t) {
  if (src->ndim == 0) return lar_contiguous(out, src, t);
  bool fits = src->ndim == index->ndim;
  for (int e = 0; fits && e < src->ndim; e++) fits = src->shape[e] >= index->shape[e];
  if (!fits)
    return lar_fail(LAR_ESHAPE, "a source of shape %s does not fill indices of shape %s",
                    lar_tensor_text(src), lar_tensor_text(index));
  lar_tensor part = *src;
  for (int e = 0; e < src->ndim; e++) part.shape[e] = index->shape[e];
  return lar_contiguous(out, &part, t);
}

lar_status lar_scatter(lar_tensor *out, const lar_tensor *x, const lar_tensor *index,
                       const lar_tensor *src, int64_t d, bool add) {
  lar_tensor from = {0};
  int64_t *at = NULL;
  lar_status st = LAR_OK;
  if (lar_dtype_is_float(src->dtype) && !lar_dtype_is_float(x->dtype))
    return lar_fail(LAR_EDTYPE, "a %s source does not fit into a tensor of %s",
                    lar_dtype_name(src->dtype), lar_dtype_name(x->dtype));
  LAR_GO(lar_gather_places(&at, x, index, d));
  LAR_GO(source(&from, src, index, x->dtype));
  LAR_GO(lar_clone(out, x, x->dtype));
  store(out, &from, at, lar_tensor_numel(index), src->ndim > 0, add);
done:
  lar_tensor_clear(&from);
  lar_free(at);
  return st;
}

lar_var *lar_gather_source(lar_scope *s, lar_var *g, lar_var *index, lar_var *src,
                           const lar_attr *a) {
  g = lar_apply(s, LAR_OP(gather), a, 2, (lar_var *[]){g, index});
  if (g == NULL || src->t.ndim == 0 || lar_tensor_same_shape(&g->t, &src->t)) return g;
  lar_attr cut = lar_slice_all(&src->t);
  for (int d = 0; d < src->t.ndim; d++) cut.i[4 * d + 1] = g->t.shape[d];
  return lar_apply(s, LAR_OP(unslice), &cut, 2, (lar_var *[]){g, src});
}
