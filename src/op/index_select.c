#include <string.h>

#include "core/par.h"
#include "kern/copy.h"
#include "op/calc.h"

enum { GRAIN = 16384 }; /* bytes */

typedef struct pick {
  char *to;
  const char *from;
  const int64_t *id;
  int64_t count, size; /* of the indices, of the dimension */
  size_t inner;        /* bytes that an index brings */
} pick;

/* Single elements, or a few, which a call to copy each would cost too much. */
#define EACH(type)                                                          \
  for (; r < end && k < p->count; r++, k++) {                               \
    int64_t i = p->id[k];                                                   \
    ((type *)p->to)[r] = ((const type *)from)[i < 0 ? i + p->size : i - 1]; \
  }

typedef struct few {
  uint32_t some[4];
} few;

static void some(void *ctx, int64_t begin, int64_t end) {
  const pick *p = ctx;
  for (int64_t r = begin; r < end;) {
    int64_t k = r % p->count;
    const char *from = p->from + (size_t)(r / p->count * p->size) * p->inner;
    if (p->inner == sizeof(uint32_t))
      EACH(uint32_t)
    else if (p->inner == sizeof(uint64_t))
      EACH(uint64_t)
    else if (p->inner == sizeof(few))
      EACH(few)
    else
      for (; r < end && k < p->count; r++, k++) {
        int64_t at = p->id[k] < 0 ? p->id[k] + p->size : p->id[k] - 1;
        memcpy(p->to + (size_t)r * p->inner, from + (size_t)at * p->inner, p->inner);
      }
  }
}

/* The dimension, and the shape in which the indices stand in its place. */
static lar_status shape_of(const lar_io *io, int *d, int *n, int64_t *shape) {
  const lar_tensor *x = io->in[0], *ids = io->in[1];
  *n = 0;
  LAR_TRY(lar_dim(io->attr->i[0], x->ndim, d));
  if (ids->dtype != LAR_I64)
    return lar_fail(LAR_EDTYPE, "indices must be int64, not %s", lar_dtype_name(ids->dtype));
  if (x->ndim - 1 + ids->ndim > LAR_MAX_NDIM)
    return lar_fail(LAR_ESHAPE, "indices of shape %s make too many dimensions",
                    lar_tensor_text(ids));
  for (int e = 0; e < *d; e++) shape[(*n)++] = x->shape[e];
  for (int e = 0; e < ids->ndim; e++) shape[(*n)++] = ids->shape[e];
  for (int e = *d + 1; e < x->ndim; e++) shape[(*n)++] = x->shape[e];
  return LAR_OK;
}

/* i[0]: the dimension. ids: int64, 1-based, of any shape; it replaces the dimension. */
static lar_status forward(lar_io *io) {
  const lar_tensor *x = io->in[0];
  lar_tensor id = {0}, src = {0}, *y = &io->out[0];
  int64_t shape[LAR_MAX_NDIM];
  int d, n;
  lar_status st = LAR_OK;
  LAR_TRY(shape_of(io, &d, &n, shape));
  LAR_GO(lar_contiguous(&id, io->in[1], LAR_I64));
  LAR_GO(lar_contiguous(&src, x, x->dtype));
  LAR_GO(lar_tensor_init(y, x->dtype, n, shape));
  io->nout = 1;
  int64_t count = lar_tensor_numel(&id), outer = lar_shape_numel(d, x->shape);
  pick p = {.to = lar_tensor_data(y),
            .from = lar_tensor_data(&src),
            .id = lar_tensor_data(&id),
            .count = count,
            .size = x->shape[d],
            .inner = (size_t)lar_shape_numel(x->ndim - d - 1, x->shape + d + 1) *
                     lar_dtype_size(x->dtype)};
  LAR_GO(lar_indices(p.id, count, p.size));
  lar_par_for(outer * count, GRAIN / (int64_t)(p.inner + 1) + 1, some, &p);
done:
  lar_tensor_clear(&id);
  lar_tensor_clear(&src);
  return st;
}

static void vjp(lar_vjp *v) {
  lar_var *in[] = {v->g[0], v->x[1], v->x[0]};
  if (v->need[0]) v->gx[0] = lar_apply(v->s, LAR_OP(index_sum), v->attr, 3, in);
}

LAR_ENTRY(op, index_select) = {
  .name = "index_select",
  .doc = "the elements of a dimension at int64 indices: index_select(dim, indices)",
  .args = "xdx",
  .nin = 2,
  .forward = forward,
  .vjp = vjp,
};
