#include "op/scan.h"

#include "kern/copy.h"
#include "op/along.h"

lar_status lar_scan_forward(lar_io *io, lar_scan_kind kind) {
  const lar_tensor *x = io->in[0];
  lar_dtype t = x->dtype == LAR_BOOL ? LAR_I64 : x->dtype;
  lar_along along;
  lar_tensor a = {0};
  lar_status st = LAR_OK;
  LAR_TRY(lar_along_init(&along, x, lar_attr_int(io->attr, 0), t));
  if (io->nin > 1) LAR_GO(lar_contiguous(&a, io->in[1], t));
  LAR_GO(lar_tensor_init(&io->out[0], t, x->ndim, x->shape));
  io->nout = 1;
  lar_scan(kind, io->attr->f[0] != 0, t, lar_tensor_data(&io->out[0]),
           lar_tensor_data(&along.t), io->nin > 1 ? lar_tensor_data(&a) : NULL, along.sizes);
done:
  lar_tensor_clear(&along.t);
  lar_tensor_clear(&a);
  return st;
}

lar_var *lar_scan_apply(lar_scope *s, const lar_op *op, int nin, lar_var *const *in, int64_t d,
                        bool reverse) {
  lar_attr a = lar_attr_default(op);
  a.n = 1;
  a.i[0] = d;
  a.f[0] = reverse;
  for (int k = 0; k < nin; k++)
    if (in[k] == NULL) return NULL;
  return lar_apply(s, op, &a, nin, in);
}

lar_var *lar_scan_shift(lar_scope *s, lar_var *x, int64_t d, bool back, double fill) {
  int at = 0;
  int64_t shape[LAR_MAX_NDIM];
  if (x == NULL) return NULL;
  if (x->t.ndim == 0) return lar_full_like(s, x, fill);
  lar_status st = lar_dim(d == LAR_NONE ? -1 : d, x->t.ndim, &at);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  if (x->t.shape[at] == 0) return x;
  for (int e = 0; e < x->t.ndim; e++) shape[e] = e == at ? 1 : x->t.shape[e];
  lar_var *edge = lar_expand(s, lar_const_like(s, x, fill), x->t.ndim, shape);
  lar_var *rest = lar_narrow(s, x, at + 1, back ? 2 : 1, x->t.shape[at] - 1);
  lar_var *parts[] = {back ? rest : edge, back ? edge : rest};
  if (parts[0] == NULL || parts[1] == NULL) return NULL;
  return lar_apply(s, LAR_OP(cat), &(lar_attr){.n = 1, .i = {at + 1}}, 2, parts);
}
