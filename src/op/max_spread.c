#include "op/pooling.h"

static lar_status forward(lar_io *io) {
  lar_pooling p;
  lar_status st = lar_pooling_init(&p, io, true);
  if (st == LAR_OK)
    lar_pool_max_spread(&p.v, p.dtype, lar_tensor_data(&io->out[0]), lar_tensor_data(&p.in[0]),
                        lar_tensor_data(&p.in[1]));
  lar_pooling_clear(&p);
  return st;
}

/* Where the largest is does not change with b, almost everywhere. */
static void vjp(lar_vjp *v) {
  if (v->need[0])
    v->gx[0] = lar_apply(v->s, LAR_OP(max_pick), v->attr, 2, (lar_var *[]){v->g[0], v->x[1]});
  if (v->need[1]) v->gx[1] = lar_full_like(v->s, v->x[1], 0);
}

static bool absorb(lar_attr *attr, const lar_op *next, bool more) {
  if (next != LAR_OP(relu_slope) || more) return false;
  attr->i[LAR_WINDOW_CLIP] = 1;
  return true;
}

LAR_ENTRY(op, max_spread) = {
  .name = "max_spread",
  .doc = "zeros like b, with a added where b's windows have their largest",
  .args = "xx",
  .nin = 2,
  .traits = LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
  .absorb = absorb,
};
