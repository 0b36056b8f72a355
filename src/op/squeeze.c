#include "op/calc.h"

static lar_status forward(lar_io *io) {
  const lar_tensor *x = io->in[0];
  lar_tensor *y = &io->out[0];
  bool covered[LAR_MAX_NDIM];
  LAR_TRY(lar_dims(io->attr, 0, x->ndim, covered));
  lar_tensor_ref(y, x);
  io->nout = 1;
  y->ndim = 0;
  for (int d = 0; d < x->ndim; d++) {
    if (covered[d] && x->shape[d] == 1) continue;
    y->shape[y->ndim] = x->shape[d];
    y->stride[y->ndim++] = x->stride[d];
  }
  return LAR_OK;
}

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_reshape(v->s, v->g[0], v->x[0]->t.ndim, v->x[0]->t.shape);
}

LAR_ENTRY(op, squeeze) = {
  .name = "squeeze",
  .doc = "without the dimensions of size 1 (all, or those named); a view",
  .args = "xD",
  .nin = 1,
  .traits = LAR_OP_LINEAR | LAR_OP_VIEW,
  .forward = forward,
  .vjp = vjp,
};
