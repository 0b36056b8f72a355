#include "kern/copy.h"
#include "op/calc.h"
#include "op/shape.h"

static lar_status forward(lar_io *io) {
  int64_t shape[LAR_MAX_NDIM];
  lar_tensor flat = {0};
  LAR_TRY(lar_shape_infer(io->attr, io->in[0], shape));
  LAR_TRY(lar_contiguous(&flat, io->in[0], io->in[0]->dtype));
  io->nout = 1;
  lar_status st = lar_tensor_view(&io->out[0], &flat, io->attr->n, shape);
  lar_tensor_clear(&flat);
  return st;
}

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_reshape(v->s, v->g[0], v->x[0]->t.ndim, v->x[0]->t.shape);
}

LAR_ENTRY(op, reshape) = {
  .name = "reshape",
  .doc = "another shape of as many elements (one size may be -1); a view where possible",
  .args = "xs",
  .nin = 1,
  .traits = LAR_OP_LINEAR | LAR_OP_VIEW,
  .forward = forward,
  .vjp = vjp,
};
