#include "kern/reduce.h"
#include "op/reduce.h"

static const lar_param params[] = {LAR_KEEPDIM, {0}};

static lar_status forward(lar_io *io) {
  bool covered[LAR_MAX_NDIM];
  LAR_TRY(lar_dims(io->attr, 0, io->in[0]->ndim, covered));
  io->nout = 1;
  return lar_reduce(&io->out[0], io->in[0], covered, io->attr->f[0] != 0, LAR_FOLD_COUNT);
}

LAR_ENTRY(op, count_nonzero) = {
  .name = "count_nonzero",
  .doc = "number of elements that are not 0, over all or over dimensions",
  .args = "xD",
  .params = params,
  .nin = 1,
  .forward = forward,
};
