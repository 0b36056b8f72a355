#include "op/scan.h"

static const lar_param params[] = {LAR_REVERSE, {0}};

static lar_status forward(lar_io *io) { return lar_scan_forward(io, LAR_SCAN_SUM); }

static void vjp(lar_vjp *v) {
  v->gx[0] =
    lar_scan_apply(v->s, LAR_OP(cumsum), 1, v->g, lar_attr_int(v->attr, 0), v->attr->f[0] == 0);
}

LAR_ENTRY(op, cumsum) = {
  .name = "cumsum",
  .doc = "running sum along a dimension (the last unless named)",
  .args = "xi?",
  .params = params,
  .nin = 1,
  .traits = LAR_OP_LINEAR,
  .forward = forward,
  .vjp = vjp,
};
