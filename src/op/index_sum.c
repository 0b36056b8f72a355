#include "core/par.h"
#include "kern/copy.h"
#include "op/calc.h"

/* out (like the third input) += rows of g at the indices: the derivative of index_select. */
typedef struct sums {
  void *to;
  const void *from;
  const int64_t *id;
  int64_t count, size, inner; /* of the indices, of the dimension, of what an index brings */
  bool wide;
} sums;

#define ADD(type)                                     \
  {                                                   \
    type *y = (type *)s->to + to * n;                 \
    const type *x = (const type *)s->from + from * n; \
    for (int64_t c = 0; c < n; c++) y[c] += x[c];     \
  }

/* Into rows [begin, end) of out alone, in the order of the indices. */
static void some(void *ctx, int64_t begin, int64_t end) {
  const sums *s = ctx;
  const int64_t n = s->inner, size = s->size;
  for (int64_t o = begin / size; o * size < end; o++)
    for (int64_t k = 0; k < s->count; k++) {
      int64_t i = s->id[k], to = o * size + (i < 0 ? i + size : i - 1), from = o * s->count + k;
      if (to < begin || to >= end) continue;
      if (s->wide)
        ADD(double)
      else
        ADD(float)
    }
}

static lar_status forward(lar_io *io) {
  enum { LEAST = 32768 };
  const lar_tensor *like = io->in[2];
  lar_tensor g = {0}, id = {0};
  lar_status st = LAR_OK;
  int d;
  LAR_TRY(lar_dim(io->attr->i[0], like->ndim, &d));
  LAR_GO(lar_contiguous(&g, io->in[0], like->dtype));
  LAR_GO(lar_contiguous(&id, io->in[1], LAR_I64));
  LAR_GO(lar_tensor_zeros(&io->out[0], like->dtype, like->ndim, like->shape));
  io->nout = 1;
  sums s = {.to = lar_tensor_data(&io->out[0]),
            .from = lar_tensor_data(&g),
            .id = lar_tensor_data(&id),
            .count = lar_tensor_numel(&id),
            .size = like->shape[d],
            .inner = lar_shape_numel(like->ndim - d - 1, like->shape + d + 1),
            .wide = like->dtype == LAR_F64};
  LAR_GO(lar_indices(s.id, s.count, s.size));
  int64_t rows = lar_shape_numel(d + 1, like->shape);
  if (lar_tensor_numel(&g) < LEAST)
    some(&s, 0, rows);
  else
    lar_par_shares(rows, some, &s);
done:
  lar_tensor_clear(&g);
  lar_tensor_clear(&id);
  return st;
}

static void vjp(lar_vjp *v) {
  if (v->need[0])
    v->gx[0] =
      lar_apply(v->s, LAR_OP(index_select), v->attr, 2, (lar_var *[]){v->g[0], v->x[1]});
}

LAR_ENTRY(op, index_sum) = {
  .name = "index_sum",
  .doc = "zeros like c with the parts of a added at int64 indices b of a dimension",
  .args = "xxxd",
  .nin = 3,
  .traits = LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
};
