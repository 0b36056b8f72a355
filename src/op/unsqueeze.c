#include "op/calc.h"

static lar_status forward(lar_io *io) {
  const lar_tensor *x = io->in[0];
  lar_tensor *y = &io->out[0];
  int at;
  LAR_TRY(lar_dim(io->attr->i[0], x->ndim + 1, &at));
  if (x->ndim == LAR_MAX_NDIM)
    return lar_fail(LAR_ESHAPE, "%s has %d dimensions already", lar_tensor_text(x), x->ndim);
  lar_tensor_ref(y, x);
  io->nout = 1;
  y->ndim = x->ndim + 1;
  for (int d = x->ndim; d > at; d--)
    y->shape[d] = x->shape[d - 1], y->stride[d] = x->stride[d - 1];
  y->shape[at] = 1;
  y->stride[at] = at < x->ndim ? x->shape[at] * x->stride[at] : 1;
  return LAR_OK;
}

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_reshape(v->s, v->g[0], v->x[0]->t.ndim, v->x[0]->t.shape);
}

LAR_ENTRY(op, unsqueeze) = {
  .name = "unsqueeze",
  .doc = "a new dimension of size 1 at that place; a view",
  .args = "xd",
  .nin = 1,
  .traits = LAR_OP_LINEAR | LAR_OP_VIEW,
  .forward = forward,
  .vjp = vjp,
};
