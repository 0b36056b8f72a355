#include "op/order.h"

static const lar_param params[] = {
  {"descending", LAR_AT(0), 0, 0, 1, "largest first", LAR_FLAG, NULL},
  {0},
};

static lar_status forward(lar_io *io) {
  io->nout = 1;
  return lar_order(&io->out[0], io->in[0], lar_attr_int(io->attr, 0), io->attr->f[0] != 0,
                   LAR_NONE);
}

LAR_ENTRY(op, argsort) = {
  .name = "argsort",
  .doc = "the places of the elements in their order along a dimension (the last unless named)",
  .args = "xi?",
  .params = params,
  .nin = 1,
  .forward = forward,
};
