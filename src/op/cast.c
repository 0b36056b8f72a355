#include "kern/copy.h"
#include "op/calc.h"

static lar_status forward(lar_io *io) {
  io->nout = 1;
  return lar_clone(&io->out[0], io->in[0], (lar_dtype)io->attr->i[0]);
}

static void vjp(lar_vjp *v) { v->gx[0] = lar_cast(v->s, v->g[0], v->x[0]->t.dtype); }

LAR_ENTRY(op, cast) = {
  .name = "cast",
  .doc = "the same values in another dtype (behind to, double, float, long)",
  .args = "xi",
  .nin = 1,
  .traits = LAR_OP_LINEAR | LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
};
