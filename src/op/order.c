#include "op/order.h"

#include "kern/sort.h"
#include "op/along.h"
#include "op/gather.h"

lar_status lar_order(lar_tensor *place, const lar_tensor *x, int64_t d, bool descending,
                     int64_t most) {
  lar_along a;
  lar_tensor fresh = {0};
  lar_dtype t = x->dtype == LAR_BOOL ? LAR_I64 : x->dtype;
  lar_status st = LAR_OK;
  LAR_TRY(lar_along_init(&a, x, d, t));
  int64_t shape[LAR_MAX_NDIM], n = most == LAR_NONE ? a.sizes[1] : most;
  for (int e = 0; e < x->ndim; e++) shape[e] = e == a.dim ? n : x->shape[e];
  LAR_GO(lar_tensor_init(&fresh, LAR_I64, x->ndim, shape));
  LAR_GO(
    lar_argsort(descending, t, lar_tensor_data(&fresh), lar_tensor_data(&a.t), a.sizes, n));
  lar_tensor_ref(place, &fresh);
done:
  lar_tensor_clear(&a.t);
  lar_tensor_clear(&fresh);
  return st;
}

lar_status lar_order_part(lar_io *io, int64_t d, bool descending, int64_t n) {
  const lar_tensor *x = io->in[0];
  if (d == LAR_NONE) d = -1;
  LAR_TRY(lar_order(&io->out[1], x, d, descending, n));
  io->nout = 2;
  return lar_gather(&io->out[0], x, &io->out[1], d);
}

void lar_order_vjp(lar_vjp *v, int64_t d) {
  lar_attr a = {.n = 1, .i = {d == LAR_NONE ? -1 : d}};
  if (v->g[0] == NULL) return;
  v->gx[0] = lar_apply(v->s, LAR_OP(ungather), &a, 3, (lar_var *[]){v->g[0], v->y[1], v->x[0]});
}
