#include "op/calc.h"

static lar_status order(const lar_attr *a, const lar_tensor *x, int *from) {
  bool seen[LAR_MAX_NDIM] = {0};
  if (a->n != x->ndim)
    return lar_fail(LAR_ESHAPE, "%d dimensions named for a tensor of shape %s", a->n,
                    lar_tensor_text(x));
  for (int d = 0; d < x->ndim; d++) {
    LAR_TRY(lar_dim(a->i[d], x->ndim, &from[d]));
    if (seen[from[d]])
      return lar_fail(LAR_ESHAPE, "dimension %lld is named twice", (long long)a->i[d]);
    seen[from[d]] = true;
  }
  return LAR_OK;
}

static lar_status forward(lar_io *io) {
  const lar_tensor *x = io->in[0];
  int from[LAR_MAX_NDIM];
  LAR_TRY(order(io->attr, x, from));
  lar_tensor_ref(&io->out[0], x);
  io->nout = 1;
  for (int d = 0; d < x->ndim; d++) {
    io->out[0].shape[d] = x->shape[from[d]];
    io->out[0].stride[d] = x->stride[from[d]];
  }
  return LAR_OK;
}

static void vjp(lar_vjp *v) {
  int from[LAR_MAX_NDIM];
  lar_attr back = {.n = v->attr->n};
  (void)order(v->attr, &v->x[0]->t, from); /* went well before */
  for (int d = 0; d < back.n; d++) back.i[from[d]] = d + 1;
  v->gx[0] = lar_apply(v->s, LAR_OP(permute), &back, 1, v->g);
}

LAR_ENTRY(op, permute) = {
  .name = "permute",
  .doc = "dimensions in another order: permute(3, 1, 2); a view",
  .args = "xs",
  .nin = 1,
  .traits = LAR_OP_LINEAR | LAR_OP_VIEW,
  .forward = forward,
  .vjp = vjp,
};
