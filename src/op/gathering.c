#include <stdatomic.h>

#include "core/mem.h"
#include "core/par.h"
#include "kern/copy.h"
#include "op/along.h"
#include "op/gather.h"
#include "op/slice.h"

enum { GRAIN = 16384 };

/* A walk over index, in row-major order: dimension d of x is stepped by what the index says. */
typedef struct walk {
  const lar_tensor *index;
  const int64_t *id;
  int64_t stride[LAR_MAX_NDIM]; /* of x, row-major; 0 along d */
  int64_t row, size, own, step; /* of index's rows; of x along d; along a row */
  void *to;                     /* places, or elements of so many bytes from `from` */
  const void *from;
  size_t width;
  atomic_bool missed; /* an index that is none, and stood for the first */
} walk;

/* m elements of a row; those of x lie behind one another along it, or all at its beginning. */
#define STRETCH(type, from, value)                                           \
  _Pragma("omp simd reduction(|: missed)") for (int64_t c = 0; c < m; c++) { \
    int64_t i = id[c] < 0 ? id[c] + size : id[c] - 1;                        \
    int64_t in = (uint64_t)i < (uint64_t)size;                               \
    missed |= !in;                                                           \
    i = in ? i : 0;                                                          \
    int64_t place = base + (from);                                           \
    ((type *)w->to + k)[c] = (value);                                        \
  }

#define EITHER(type, value) \
  if (w->step == 0)         \
    STRETCH(type, i, value) \
  else                      \
    STRETCH(type, c + i * own, value)

#define PICK(type) EITHER(type, ((const type *)w->from)[place])

static bool stretch(const walk *w, int64_t k, int64_t base, int64_t m) {
  const int64_t *id = w->id + k, size = w->size, own = w->own;
  int64_t missed = 0;
  if (w->from == NULL) {
    EITHER(int64_t, place)
  } else if (w->width == 8) {
    PICK(uint64_t)
  } else if (w->width == 4) {
    PICK(uint32_t)
  } else {
    PICK(uint8_t)
  }
  return missed != 0;
}

/* Where row r of index begins in x. */
static int64_t beginning(const walk *w, int64_t r) {
  int64_t base = 0;
  for (int e = w->index->ndim - 2; e >= 0; e--) {
    int64_t next = e > 0 ? r / w->index->shape[e] : 0;
    base += (r - next * w->index->shape[e]) * w->stride[e];
    r = next;
  }
  return base;
}

static void part(void *ctx, int64_t k, int64_t end) {
  walk *w = ctx;
  bool missed = false;
  for (int64_t r = k / w->row, c = k % w->row; k < end; r++, c = 0) {
    int64_t m = w->row - c < end - k ? w->row - c : end - k;
    missed |= stretch(w, k, beginning(w, r) + c * w->step, m);
    k += m;
  }
  if (missed) atomic_store_explicit(&w->missed, true, memory_order_relaxed);
}

/* Fills w->to; fails with the first index that is none. */
static lar_status go(walk *w, const lar_tensor *x, int d) {
  int64_t n = lar_tensor_numel(w->index), at;
  int last = x->ndim - 1;
  lar_shape_strides(x->ndim, x->shape, w->stride);
  w->row = w->size = 1;
  if (x->ndim > 0) {
    w->row = w->index->shape[last], w->size = x->shape[d];
    w->own = w->stride[d], w->stride[d] = 0;
    w->step = w->stride[last];
  }
  if (w->size > 0) lar_par_for(n, GRAIN, part, w);
  if (w->size > 0 && !w->missed) return LAR_OK;
  for (int64_t k = 0; k < n; k++) LAR_TRY(lar_index(w->id[k], w->size, &at));
  return LAR_OK;
}

/* The dimension d, once x and index fit each other; *id: the indices in row-major order. */
static lar_status begin(lar_tensor *id, const lar_tensor *x, const lar_tensor *index, int64_t d,
                        int *dim) {
  *dim = 0;
  if (x->ndim > 0) LAR_TRY(lar_dim(d, x->ndim, dim));
  LAR_TRY(lar_along_index(x, index, *dim));
  return lar_contiguous(id, index, LAR_I64);
}

lar_status lar_gather(lar_tensor *out, const lar_tensor *x, const lar_tensor *index,
                      int64_t d) {
  lar_tensor id = {0}, src = {0};
  lar_status st = LAR_OK;
  int dim;
  LAR_GO(begin(&id, x, index, d, &dim));
  LAR_GO(lar_contiguous(&src, x, x->dtype));
  LAR_GO(lar_tensor_init(out, x->dtype, index->ndim, index->shape));
  walk w = {.index = index,
            .id = lar_tensor_data(&id),
            .to = lar_tensor_data(out),
            .from = lar_tensor_data(&src),
            .width = lar_dtype_size(x->dtype)};
  LAR_GO(go(&w, x, dim));
done:
  lar_tensor_clear(&src);
  lar_tensor_clear(&id);
  return st;
}

/* *out (to be freed by lar_free): for each element of index where in a row-major tensor of x's
 * shape the element lies that it names. */
static lar_status places(int64_t **out, const lar_tensor *x, const lar_tensor *index,
                         int64_t d) {
  lar_tensor id = {0};
  lar_status st = LAR_OK;
  void *p = NULL;
  int dim;
  LAR_GO(begin(&id, x, index, d, &dim));
  LAR_GO(lar_alloc_raw(&p, (size_t)lar_tensor_numel(index), sizeof **out));
  walk w = {.index = index, .id = lar_tensor_data(&id), .to = p};
  LAR_GO(go(&w, x, dim));
  *out = p;
  p = NULL;
done:
  lar_free(p);
  lar_tensor_clear(&id);
  return st;
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
  LAR_GO(places(&at, x, index, d));
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
