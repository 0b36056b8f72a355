#include "kern/copy.h"
#include "kern/masked.h"
#include "op/calc.h"

static lar_status forward(lar_io *io) {
  lar_tensor x = {0}, m = {0};
  lar_masked on = {0};
  lar_status st = LAR_OK;
  LAR_GO(lar_contiguous(&x, io->in[0], io->in[0]->dtype));
  LAR_GO(lar_contiguous(&m, io->in[1], LAR_BOOL));
  LAR_GO(lar_tensor_zeros(&io->out[0], x.dtype, m.ndim, m.shape));
  io->nout = 1;
  LAR_GO(lar_masked_init(&on, lar_tensor_data(&m), lar_tensor_numel(&m)));
  lar_masked_put(&on, lar_tensor_data(&io->out[0]), lar_tensor_data(&x),
                 lar_dtype_size(x.dtype));
done:
  lar_masked_clear(&on);
  lar_tensor_clear(&x);
  lar_tensor_clear(&m);
  return st;
}

static void vjp(lar_vjp *v) {
  if (v->need[0]) v->gx[0] = LAR_CALL2(v->s, masked_select, v->g[0], v->x[1]);
}

LAR_ENTRY(op, masked_spread) = {
  .name = "masked_spread",
  .doc = "zeros of the mask's shape with the elements of a where it is true",
  .args = "xx",
  .nin = 2,
  .traits = LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
};
