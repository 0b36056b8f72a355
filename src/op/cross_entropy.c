#include "op/calc.h"
#include "op/xent.h"

static lar_status forward(lar_io *io) { return lar_xent_forward(io, NULL); }

static void vjp(lar_vjp *v) {
  if (v->need[0]) v->gx[0] = LAR_CALL3(v->s, cross_entropy_slope, v->x[0], v->x[1], v->g[0]);
}

LAR_ENTRY(op, cross_entropy) = {
  .name = "cross_entropy",
  .doc = "-log softmax(x)_y for rows x (n, k) and labels y (n) of 1..k",
  .args = "xx",
  .nin = 2,
  .traits = LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
};
