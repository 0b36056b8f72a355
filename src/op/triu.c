#include "op/calc.h"
#include "op/triangle.h"

static lar_status forward(lar_io *io) { return lar_triangle_forward(io, false); }

static void vjp(lar_vjp *v) { v->gx[0] = lar_apply(v->s, LAR_OP(triu), v->attr, 1, v->g); }

LAR_ENTRY(op, triu) = {
  .name = "triu",
  .doc = "a matrix with zeros below its k-th diagonal (0 the main one)",
  .args = "xi?",
  .nin = 1,
  .traits = LAR_OP_LINEAR,
  .forward = forward,
  .vjp = vjp,
};
