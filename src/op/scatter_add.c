#include "op/calc.h"
#include "op/gather.h"

static lar_status forward(lar_io *io) {
  io->nout = 1;
  return lar_scatter(&io->out[0], io->in[0], io->in[1], io->in[2], lar_attr_int(io->attr, 0),
                     true);
}

static void vjp(lar_vjp *v) {
  v->gx[0] = v->g[0];
  if (v->need[2]) v->gx[2] = lar_gather_source(v->s, v->g[0], v->x[1], v->x[2], v->attr);
}

LAR_ENTRY(op, scatter_add) = {
  .name = "scatter_add",
  .doc = "scatter_add(dim, index, source): a copy of x with source added at the places that "
         "index names along dim",
  .args = "xdxx",
  .nin = 3,
  .forward = forward,
  .vjp = vjp,
};
