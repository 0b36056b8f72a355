#include "op/slice.h"
#include "op/calc.h"

lar_status lar_slice_view(lar_tensor *out, const lar_tensor *x, const lar_attr *a) {
  lar_tensor y = {.storage = x->storage, .offset = x->offset, .dtype = x->dtype};
  for (int d = 0; d < x->ndim; d++) {
    const int64_t *r = &a->i[4 * d]; /* start, length, step, drop */
    y.offset += r[0] * x->stride[d];
    if (r[3]) continue;
    y.shape[y.ndim] = r[1];
    y.stride[y.ndim++] = r[2] * x->stride[d];
  }
  lar_tensor_ref(out, &y);
  return LAR_OK;
}

static lar_status forward(lar_io *io) {
  io->nout = 1;
  return lar_slice_view(&io->out[0], io->in[0], io->attr);
}

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_apply(v->s, LAR_OP(unslice), v->attr, 2, (lar_var *[]){v->g[0], v->x[0]});
}

LAR_ENTRY(op, slice) = {
  .name = "slice",
  .doc = "a rectangular part: for each dimension (0-based) start, length, step, drop; a view",
  .args = "x",
  .nin = 1,
  .traits = LAR_OP_LINEAR | LAR_OP_VIEW | LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
};
