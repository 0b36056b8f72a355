#include "op/calc.h"

/* A size of -1 keeps the dimension's own size. */
static lar_status forward(lar_io *io) {
  const lar_tensor *x = io->in[0];
  int64_t shape[LAR_MAX_NDIM];
  int ndim = io->attr->n;
  if (ndim > LAR_MAX_NDIM)
    return lar_fail(LAR_ESHAPE, "a tensor has at most %d dimensions, not %d", LAR_MAX_NDIM,
                    ndim);
  int64_t total = 1;
  for (int d = 0; d < ndim; d++) {
    int from = d - (ndim - x->ndim);
    shape[d] = io->attr->i[d] == -1 && from >= 0 ? x->shape[from] : io->attr->i[d];
    if (shape[d] < 0 || __builtin_mul_overflow(total, shape[d], &total))
      return lar_fail(LAR_ESHAPE, "%s cannot be expanded to %s", lar_tensor_text(x),
                      lar_shape_text(ndim, io->attr->i));
  }
  io->nout = 1;
  return lar_tensor_expand(&io->out[0], x, ndim, shape);
}

static void vjp(lar_vjp *v) { v->gx[0] = lar_sum_to(v->s, v->g[0], &v->x[0]->t); }

LAR_ENTRY(op, expand) = {
  .name = "expand",
  .doc = "repeat along dimensions of size 1 without copying; -1 keeps a size",
  .args = "xs",
  .nin = 1,
  .traits = LAR_OP_LINEAR | LAR_OP_VIEW,
  .forward = forward,
  .vjp = vjp,
};
