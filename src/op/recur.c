#include "op/scan.h"

static const lar_param params[] = {LAR_REVERSE, {0}};

static lar_status forward(lar_io *io) { return lar_scan_forward(io, LAR_SCAN_RECUR); }

/* y_i = a_i y_(i-1) + x_i, so u_i = g_i + a_(i+1) u_(i+1) is the gradient in x, and
 * u_i y_(i-1) that in a. */
static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  int64_t d = lar_attr_int(v->attr, 0);
  bool reverse = v->attr->f[0] != 0;
  lar_var *in[] = {v->g[0], lar_scan_shift(s, v->x[1], d, !reverse, 0)};
  lar_var *u = lar_scan_apply(s, LAR_OP(recur), 2, in, d, !reverse);
  v->gx[0] = u;
  if (v->need[1]) v->gx[1] = lar_mul(s, u, lar_scan_shift(s, v->y[0], d, reverse, 0));
}

LAR_ENTRY(op, recur) = {
  .name = "recur",
  .doc = "the linear recurrence y(i) = b(i) y(i-1) + a(i) along a dimension",
  .args = "xxi?",
  .params = params,
  .nin = 2,
  .traits = LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
};
