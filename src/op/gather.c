#include "op/gather.h"

#include "op/calc.h"

static lar_status forward(lar_io *io) {
  io->nout = 1;
  return lar_gather(&io->out[0], io->in[0], io->in[1], lar_attr_int(io->attr, 0));
}

static void vjp(lar_vjp *v) {
  lar_var *in[] = {v->g[0], v->x[1], v->x[0]};
  if (v->need[0]) v->gx[0] = lar_apply(v->s, LAR_OP(ungather), v->attr, 3, in);
}

LAR_ENTRY(op, gather) = {
  .name = "gather",
  .doc =
    "gather(dim, index): for each place of index, the element of x that it names along dim",
  .args = "xdx",
  .nin = 2,
  .forward = forward,
  .vjp = vjp,
};
