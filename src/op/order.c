#include "op/order.h"

#include "kern/copy.h"
#include "kern/sort.h"
#include "op/along.h"
#include "op/gather.h"

lar_status lar_order(lar_tensor *place, const lar_tensor *x, int64_t d, bool descending) {
  lar_along a;
  lar_tensor fresh = {0};
  lar_dtype t = x->dtype == LAR_BOOL ? LAR_I64 : x->dtype;
  lar_status st = LAR_OK;
  LAR_TRY(lar_along_init(&a, x, d, t));
  LAR_GO(lar_tensor_init(&fresh, LAR_I64, x->ndim, x->shape));
  LAR_GO(lar_argsort(descending, t, lar_tensor_data(&fresh), lar_tensor_data(&a.t), a.sizes));
  lar_tensor_ref(place, &fresh);
done:
  lar_tensor_clear(&a.t);
  lar_tensor_clear(&fresh);
  return st;
}

lar_status lar_order_part(lar_io *io, int64_t d, bool descending, int64_t from, int64_t n) {
  const lar_tensor *x = io->in[0];
  lar_tensor place = {0};
  int dim = 0;
  lar_status st = LAR_OK;
  if (d == LAR_NONE) d = -1;
  if (x->ndim > 0) LAR_TRY(lar_dim(d, x->ndim, &dim));
  LAR_GO(lar_order(&place, x, d, descending));
  lar_tensor part = place;
  if (x->ndim > 0) {
    part.offset += from * place.stride[dim];
    part.shape[dim] = n;
  }
  LAR_GO(lar_clone(&io->out[1], &part, LAR_I64));
  LAR_GO(lar_gather(&io->out[0], x, &io->out[1], d));
  io->nout = 2;
done:
  lar_tensor_clear(&place);
  return st;
}

void lar_order_vjp(lar_vjp *v, int64_t d) {
  lar_attr a = {.n = 1, .i = {d == LAR_NONE ? -1 : d}};
  if (v->g[0] == NULL) return;
  v->gx[0] = lar_apply(v->s, LAR_OP(ungather), &a, 3, (lar_var *[]){v->g[0], v->y[1], v->x[0]});
}
