#include "op/calc.h"
#include "op/shape.h"

static lar_status forward(lar_io *io) {
  int64_t shape[LAR_MAX_NDIM];
  LAR_TRY(lar_shape_infer(io->attr, io->in[0], shape));
  io->nout = 1;
  return lar_tensor_view(&io->out[0], io->in[0], io->attr->n, shape);
}

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_reshape(v->s, v->g[0], v->x[0]->t.ndim, v->x[0]->t.shape);
}

LAR_ENTRY(op, view) = {
  .name = "view",
  .doc = "the same storage with another shape (one size may be -1)",
  .args = "xs",
  .nin = 1,
  .traits = LAR_OP_LINEAR | LAR_OP_VIEW,
  .forward = forward,
  .vjp = vjp,
};
