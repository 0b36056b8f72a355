#include "op/gather.h"

#include "core/mem.h"
#include "kern/copy.h"
#include "op/calc.h"

static lar_status forward(lar_io *io) {
  const lar_tensor *x = io->in[0], *index = io->in[1];
  lar_tensor src = {0};
  int64_t *at = NULL;
  lar_status st = LAR_OK;
  LAR_GO(lar_gather_places(&at, x, index, lar_attr_int(io->attr, 0)));
  LAR_GO(lar_contiguous(&src, x, x->dtype));
  LAR_GO(lar_tensor_init(&io->out[0], x->dtype, index->ndim, index->shape));
  io->nout = 1;
  lar_gather_pick(&io->out[0], &src, at);
done:
  lar_tensor_clear(&src);
  lar_free(at);
  return st;
}

static void vjp(lar_vjp *v) {
  lar_var *in[] = {v->g[0], v->x[1], v->x[0]};
  if (v->need[0]) v->gx[0] = lar_apply(v->s, LAR_OP(ungather), v->attr, 3, in);
}

LAR_ENTRY(op, gather) = {
  .name = "gather",
  .doc =
    "gather(dim, index): for each place of index, the element of x that it names along dim",
  .args = "xdx",
  .nin = 2,
  .forward = forward,
  .vjp = vjp,
};
