#include "kern/copy.h"
#include "op/calc.h"
#include "op/slice.h"

static lar_status forward(lar_io *io) {
  const lar_tensor *part = io->in[0], *whole = io->in[1];
  lar_tensor hole = {0};
  io->nout = 1;
  LAR_TRY(lar_tensor_zeros(&io->out[0], part->dtype, whole->ndim, whole->shape));
  LAR_TRY(lar_slice_view(&hole, &io->out[0], io->attr));
  lar_status st = lar_copy(&hole, part);
  lar_tensor_clear(&hole);
  return st;
}

static void vjp(lar_vjp *v) { v->gx[0] = lar_apply(v->s, LAR_OP(slice), v->attr, 1, &v->g[0]); }

LAR_ENTRY(op, unslice) = {
  .name = "unslice",
  .doc = "zeros of b's shape with a in the place that slice would cut out: slice's derivative",
  .args = "xx",
  .nin = 2,
  .traits = LAR_OP_LINEAR | LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
};
