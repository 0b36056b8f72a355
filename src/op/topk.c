#include "op/order.h"

static const lar_param params[] = {
  {"largest", LAR_AT(0), 1, 0, 1, "false for the smallest", LAR_FLAG, NULL},
  {0},
};

static lar_status forward(lar_io *io) {
  const lar_tensor *x = io->in[0];
  int64_t k = io->attr->i[0], d = lar_attr_int(io->attr, 1);
  int dim = 0;
  if (x->ndim > 0) LAR_TRY(lar_dim(d == LAR_NONE ? -1 : d, x->ndim, &dim));
  int64_t n = x->ndim > 0 ? x->shape[dim] : 1;
  if (k < 0 || k > n || (x->ndim == 0 && k != 1))
    return lar_fail(LAR_ESHAPE, "%lld of %lld elements along dimension %d of %s", (long long)k,
                    (long long)n, dim + 1, lar_tensor_text(x));
  return lar_order_part(io, d, io->attr->f[0] != 0, k);
}

static void vjp(lar_vjp *v) { lar_order_vjp(v, lar_attr_int(v->attr, 1)); }

LAR_ENTRY(op, topk) = {
  .name = "topk",
  .doc = "the k largest values along a dimension (the last unless named) in order, and their "
         "places: topk(k, dim)",
  .args = "xii?",
  .params = params,
  .nin = 1,
  .nout = 2,
  .forward = forward,
  .vjp = vjp,
};
