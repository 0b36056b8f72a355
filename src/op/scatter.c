#include "op/calc.h"
#include "op/gather.h"

static lar_status forward(lar_io *io) {
  io->nout = 1;
  return lar_scatter(&io->out[0], io->in[0], io->in[1], io->in[2], lar_attr_int(io->attr, 0),
                     false);
}

/* What was overwritten gets nothing. */
static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *index = v->x[1], *src = v->x[2];
  lar_var *zero[] = {v->g[0], index, lar_const_like(s, v->g[0], 0)};
  if (v->need[0]) v->gx[0] = lar_apply(s, LAR_OP(scatter), v->attr, 3, zero);
  if (v->need[2]) v->gx[2] = lar_gather_source(s, v->g[0], index, src, v->attr);
}

LAR_ENTRY(op, scatter) = {
  .name = "scatter",
  .doc =
    "scatter(dim, index, source): a copy of x with source (a tensor or a number) stored at "
    "the places that index names along dim",
  .args = "xdxx",
  .nin = 3,
  .forward = forward,
  .vjp = vjp,
};
