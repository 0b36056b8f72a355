#include "kern/copy.h"
#include "op/calc.h"
#include "op/diagonal.h"

static lar_status forward(lar_io *io) {
  int64_t k = lar_attr_int(io->attr, 0);
  lar_tensor line = {0};
  io->nout = 1;
  LAR_TRY(lar_tensor_zeros(&io->out[0], io->in[0]->dtype, io->in[1]->ndim, io->in[1]->shape));
  LAR_TRY(lar_diagonal_view(&line, &io->out[0], k == LAR_NONE ? 0 : k));
  lar_status st = lar_copy(&line, io->in[0]);
  lar_tensor_clear(&line);
  return st;
}

static void vjp(lar_vjp *v) {
  if (v->need[0]) v->gx[0] = lar_apply(v->s, LAR_OP(diagonal), v->attr, 1, v->g);
}

LAR_ENTRY(op, undiagonal) = {
  .name = "undiagonal",
  .doc = "zeros of b's shape with a on the k-th diagonal: diagonal's derivative",
  .args = "xxi?",
  .nin = 2,
  .traits = LAR_OP_LINEAR | LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
};
