#include "op/calc.h"
#include "op/xent.h"

static lar_status forward(lar_io *io) { return lar_xent_forward(io, io->in[2]); }

/* With p = softmax(x) and u what flows back: g p (u - sum u p) for x, sum u (p - [k = y]) for
 * g. */
static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *x = v->x[0], *g = v->x[2], *u = v->g[0];
  if (v->need[0]) {
    lar_var *p = lar_with_dim(s, LAR_OP(softmax), x, 2), *up = lar_mul(s, u, p);
    lar_var *rest = lar_sub(s, up, lar_mul(s, p, lar_sum_dim(s, up, 2, true)));
    v->gx[0] = lar_mul(s, lar_unsqueeze(s, g, 2), rest);
  }
  if (v->need[2]) {
    lar_var *unit = LAR_CALL3(s, cross_entropy_slope, x, v->x[1], lar_full_like(s, g, 1));
    v->gx[2] = lar_sum_dim(s, lar_mul(s, u, unit), 2, false);
  }
}

LAR_ENTRY(op, cross_entropy_slope) = {
  .name = "cross_entropy_slope",
  .doc = "g_i (softmax(x)_ik - [k = y_i]): the derivative of cross_entropy",
  .args = "xxx",
  .nin = 3,
  .traits = LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
};
