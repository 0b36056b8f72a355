#include "op/calc.h"

static lar_status forward(lar_io *io) {
  int a, b;
  LAR_TRY(lar_dim(io->attr->i[0], io->in[0]->ndim, &a));
  LAR_TRY(lar_dim(io->attr->i[1], io->in[0]->ndim, &b));
  lar_tensor *y = &io->out[0];
  lar_tensor_ref(y, io->in[0]);
  io->nout = 1;
  y->shape[a] = io->in[0]->shape[b], y->stride[a] = io->in[0]->stride[b];
  y->shape[b] = io->in[0]->shape[a], y->stride[b] = io->in[0]->stride[a];
  return LAR_OK;
}

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_transpose(v->s, v->g[0], v->attr->i[0], v->attr->i[1]);
}

LAR_ENTRY(op, transpose) = {
  .name = "transpose",
  .doc = "two dimensions exchanged; a view",
  .args = "xdd",
  .nin = 1,
  .traits = LAR_OP_LINEAR | LAR_OP_VIEW,
  .forward = forward,
  .vjp = vjp,
};
