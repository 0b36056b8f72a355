#include "kern/copy.h"
#include "kern/masked.h"
#include "op/calc.h"

static lar_status forward(lar_io *io) {
  lar_tensor x = {0}, m = {0};
  lar_masked on = {0};
  lar_status st = LAR_OK;
  if (io->in[1]->dtype != LAR_BOOL)
    return lar_fail(LAR_EDTYPE, "a mask must be bool, not %s",
                    lar_dtype_name(io->in[1]->dtype));
  if (!lar_tensor_same_shape(io->in[0], io->in[1]))
    return lar_fail(LAR_ESHAPE, "a mask of shape %s does not fit %s",
                    lar_tensor_text(io->in[1]), lar_tensor_text(io->in[0]));
  LAR_GO(lar_op_peek("masked_select, whose length the mask decides,"));
  LAR_GO(lar_contiguous(&x, io->in[0], io->in[0]->dtype));
  LAR_GO(lar_contiguous(&m, io->in[1], LAR_BOOL));
  LAR_GO(lar_masked_init(&on, lar_tensor_data(&m), lar_tensor_numel(&m)));
  LAR_GO(lar_tensor_init(&io->out[0], x.dtype, 1, &on.count));
  io->nout = 1;
  lar_masked_take(&on, lar_tensor_data(&io->out[0]), lar_tensor_data(&x),
                  lar_dtype_size(x.dtype));
done:
  lar_masked_clear(&on);
  lar_tensor_clear(&x);
  lar_tensor_clear(&m);
  return st;
}

static void vjp(lar_vjp *v) {
  if (v->need[0]) v->gx[0] = LAR_CALL2(v->s, masked_spread, v->g[0], v->x[1]);
}

LAR_ENTRY(op, masked_select) = {
  .name = "masked_select",
  .doc = "the elements where a bool mask of the same shape is true, in a row",
  .args = "xx",
  .nin = 2,
  .forward = forward,
  .vjp = vjp,
};
