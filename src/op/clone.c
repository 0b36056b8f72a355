#include "kern/copy.h"
#include "op/calc.h"

static lar_status forward(lar_io *io) {
  io->nout = 1;
  return lar_clone(&io->out[0], io->in[0], io->in[0]->dtype);
}

static void vjp(lar_vjp *v) { v->gx[0] = v->g[0]; }

LAR_ENTRY(op, clone) = {
  .name = "clone",
  .doc = "a copy with storage of its own, row-major",
  .args = "x",
  .nin = 1,
  .traits = LAR_OP_LINEAR,
  .forward = forward,
  .vjp = vjp,
};
