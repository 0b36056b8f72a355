#include "op/scan.h"

static const lar_param params[] = {LAR_REVERSE, {0}};

static lar_status forward(lar_io *io) { return lar_scan_forward(io, LAR_SCAN_PROD); }

/* u_i = g_i + x_(i+1) u_(i+1); the gradient is u_i y_(i-1): nothing is divided by, so zeros
 * are as good as any other number. */
static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  int64_t d = lar_attr_int(v->attr, 0);
  bool reverse = v->attr->f[0] != 0;
  lar_var *in[] = {v->g[0], lar_scan_shift(s, v->x[0], d, !reverse, 0)};
  lar_var *u = lar_scan_apply(s, LAR_OP(recur), 2, in, d, !reverse);
  v->gx[0] = lar_mul(s, u, lar_scan_shift(s, v->y[0], d, reverse, 1));
}

LAR_ENTRY(op, cumprod) = {
  .name = "cumprod",
  .doc = "running product along a dimension (the last unless named)",
  .args = "xi?",
  .params = params,
  .nin = 1,
  .forward = forward,
  .vjp = vjp,
};
