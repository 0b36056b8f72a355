#include "kern/copy.h"
#include "op/calc.h"

/* out (like the third input) += rows of g at the indices: the derivative of index_select. */
static void add_row(const lar_tensor *out, int64_t to, const lar_tensor *g, int64_t from,
                    int64_t n) {
  if (out->dtype == LAR_F32) {
    float *y = (float *)lar_tensor_data(out) + to;
    const float *x = (const float *)lar_tensor_data(g) + from;
    for (int64_t k = 0; k < n; k++) y[k] += x[k];
  } else {
    double *y = (double *)lar_tensor_data(out) + to;
    const double *x = (const double *)lar_tensor_data(g) + from;
    for (int64_t k = 0; k < n; k++) y[k] += x[k];
  }
}

static lar_status forward(lar_io *io) {
  const lar_tensor *like = io->in[2];
  lar_tensor g = {0}, id = {0};
  lar_status st = LAR_OK;
  int d;
  int64_t at;
  LAR_TRY(lar_dim(io->attr->i[0], like->ndim, &d));
  LAR_GO(lar_contiguous(&g, io->in[0], like->dtype));
  LAR_GO(lar_contiguous(&id, io->in[1], LAR_I64));
  LAR_GO(lar_tensor_zeros(&io->out[0], like->dtype, like->ndim, like->shape));
  io->nout = 1;
  const int64_t *i = lar_tensor_data(&id);
  int64_t outer = lar_shape_numel(d, like->shape), count = lar_tensor_numel(&id);
  int64_t inner = lar_shape_numel(like->ndim - d - 1, like->shape + d + 1);
  for (int64_t o = 0; o < outer; o++)
    for (int64_t k = 0; k < count; k++) {
      LAR_GO(lar_index(i[k], like->shape[d], &at));
      add_row(&io->out[0], (o * like->shape[d] + at) * inner, &g, (o * count + k) * inner,
              inner);
    }
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
