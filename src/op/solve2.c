#include "op/solving.h"

static lar_status forward(lar_io *io) { return lar_solving_forward(io, 0); }

static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *gb = LAR_CALL2(s, solve2, lar_adjoint(s, v->x[0]), v->g[0]);
  v->gx[1] = gb;
  if (v->need[0]) v->gx[0] = lar_neg(s, lar_matmul(s, gb, lar_adjoint(s, v->y[0])));
}

LAR_ENTRY(op, solve2) = {
  .name = "solve",
  .doc = "a^-1 b for matrices of one batch",
  .args = "xx",
  .nin = 2,
  .traits = LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
};
