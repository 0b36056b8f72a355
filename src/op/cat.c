#include "kern/copy.h"
#include "op/calc.h"
#include "op/slice.h"

/* The dimension (the first unless named), the common shape and dtype. */
static lar_status meet(int nin, const lar_tensor *const *in, int64_t dim, int *d,
                       lar_tensor *like) {
  *like = *in[0];
  LAR_TRY(lar_dim(dim == LAR_NONE ? 1 : dim, like->ndim, d));
  for (int k = 1; k < nin; k++) {
    const lar_tensor *x = in[k];
    bool fits = x->ndim == like->ndim;
    for (int e = 0; fits && e < x->ndim; e++) fits = e == *d || x->shape[e] == like->shape[e];
    if (!fits)
      return lar_fail(LAR_ESHAPE, "%s and %s differ in more than dimension %d",
                      lar_tensor_text(in[0]), lar_tensor_text(x), *d + 1);
    like->shape[*d] += x->shape[*d];
    like->dtype = lar_dtype_promote(like->dtype, x->dtype);
  }
  return LAR_OK;
}

static lar_status forward(lar_io *io) {
  lar_tensor like, *y = &io->out[0];
  int64_t at = 0;
  int d;
  LAR_TRY(meet(io->nin, io->in, lar_attr_int(io->attr, 0), &d, &like));
  LAR_TRY(lar_tensor_init(y, like.dtype, like.ndim, like.shape));
  io->nout = 1;
  for (int k = 0; k < io->nin; k++) {
    lar_tensor part = *y;
    part.offset += at * y->stride[d];
    part.shape[d] = io->in[k]->shape[d];
    at += part.shape[d];
    LAR_TRY(lar_copy(&part, io->in[k]));
  }
  return LAR_OK;
}

static void vjp(lar_vjp *v) {
  int64_t dim = lar_attr_int(v->attr, 0), at = 0;
  int d;
  (void)lar_dim(dim == LAR_NONE ? 1 : dim, v->x[0]->t.ndim, &d);
  for (int k = 0; k < v->nin; k++) {
    lar_attr cut = lar_slice_all(&v->g[0]->t);
    cut.i[4 * d] = at;
    cut.i[4 * d + 1] = v->x[k]->t.shape[d];
    at += v->x[k]->t.shape[d];
    if (v->need[k]) v->gx[k] = lar_apply(v->s, LAR_OP(slice), &cut, 1, v->g);
  }
}

LAR_ENTRY(op, cat) = {
  .name = "cat",
  .doc = "tensors joined along a dimension (the first unless named): cat({a, b}, dim)",
  .args = "Xi?",
  .nin = -1,
  .traits = LAR_OP_LINEAR,
  .forward = forward,
  .vjp = vjp,
};
