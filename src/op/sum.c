#include "kern/reduce.h"
#include "op/reduce.h"

static const lar_param params[] = {LAR_KEEPDIM, {0}};

static lar_status forward(lar_io *io) {
  bool covered[LAR_MAX_NDIM];
  LAR_TRY(lar_dims(io->attr, 0, io->in[0]->ndim, covered));
  io->nout = 1;
  return lar_reduce(&io->out[0], io->in[0], covered, io->attr->f[0] != 0, LAR_FOLD_SUM);
}

static void vjp(lar_vjp *v) { v->gx[0] = lar_unreduce(v->s, v->g[0], v->x[0], v->attr); }

LAR_ENTRY(op, sum) = {
  .name = "sum",
  .doc = "sum over all elements or over dimensions; accumulates in double",
  .args = "xD",
  .params = params,
  .nin = 1,
  .traits = LAR_OP_LINEAR,
  .forward = forward,
  .vjp = vjp,
};
