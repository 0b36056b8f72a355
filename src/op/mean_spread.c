#include "op/pooling.h"

static lar_status forward(lar_io *io) {
  lar_pooling p;
  lar_status st = lar_pooling_init(&p, io, true);
  if (st == LAR_OK)
    lar_pool_mean_spread(&p.v, p.dtype, lar_tensor_data(&io->out[0]),
                         lar_tensor_data(&p.in[0]));
  lar_pooling_clear(&p);
  return st;
}

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_apply(v->s, LAR_OP(mean_pool), v->attr, 1, &v->g[0]);
}

LAR_ENTRY(op, mean_spread) = {
  .name = "mean_spread",
  .doc = "each element shared out among its window: mean_pool's derivative",
  .args = "x",
  .nin = 1,
  .traits = LAR_OP_LINEAR | LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
};
