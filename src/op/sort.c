#include "op/order.h"

static const lar_param params[] = {
  {"descending", LAR_AT(0), 0, 0, 1, "largest first", LAR_FLAG, NULL},
  {0},
};

static lar_status forward(lar_io *io) {
  const lar_tensor *x = io->in[0];
  int64_t d = lar_attr_int(io->attr, 0);
  int dim = 0;
  if (x->ndim > 0) LAR_TRY(lar_dim(d == LAR_NONE ? -1 : d, x->ndim, &dim));
  return lar_order_part(io, d, io->attr->f[0] != 0, x->ndim > 0 ? x->shape[dim] : 1);
}

static void vjp(lar_vjp *v) { lar_order_vjp(v, lar_attr_int(v->attr, 0)); }

LAR_ENTRY(op, sort) = {
  .name = "sort",
  .doc = "values in order along a dimension (the last unless named), and their places; NaN is "
         "the largest, equals keep their order",
  .args = "xi?",
  .params = params,
  .nin = 1,
  .nout = 2,
  .forward = forward,
  .vjp = vjp,
};
