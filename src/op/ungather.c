#include "op/calc.h"
#include "op/gather.h"

static lar_status forward(lar_io *io) {
  lar_tensor zero = {0};
  const lar_tensor *like = io->in[2];
  LAR_TRY(lar_tensor_zeros(&zero, io->in[0]->dtype, like->ndim, like->shape));
  lar_status st =
    lar_scatter(&io->out[0], &zero, io->in[1], io->in[0], lar_attr_int(io->attr, 0), true);
  io->nout = 1;
  lar_tensor_clear(&zero);
  return st;
}

static void vjp(lar_vjp *v) {
  lar_var *in[] = {v->g[0], v->x[1]};
  if (v->need[0]) v->gx[0] = lar_apply(v->s, LAR_OP(gather), v->attr, 2, in);
}

LAR_ENTRY(op, ungather) = {
  .name = "ungather",
  .doc = "zeros like c with a added at the places that index b names: gather's derivative",
  .args = "xxxd",
  .nin = 3,
  .traits = LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
};
