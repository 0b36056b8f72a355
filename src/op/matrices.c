#include "op/matrices.h"

#include "kern/copy.h"
#include "op/along.h"

lar_tensor lar_matrices_at(const lar_tensor *t, int tail, int64_t k) {
  lar_tensor m = *t;
  int lead = t->ndim - tail;
  m.ndim = tail;
  for (int e = 0; e < tail; e++)
    m.shape[e] = t->shape[lead + e], m.stride[e] = t->stride[lead + e];
  for (int d = lead - 1; d >= 0; d--) {
    m.offset += k % t->shape[d] * t->stride[d];
    k /= t->shape[d];
  }
  return m;
}

int64_t lar_matrices_count(const lar_tensor *t, int tail) {
  return lar_shape_numel(t->ndim - tail, t->shape);
}

lar_status lar_matrices_input(const lar_io *io, int k, lar_tensor *out) {
  const lar_tensor *x = io->in[k];
  lar_dtype t = lar_float_dtype(x->dtype);
  for (int j = 0; j < io->nin; j++) t = lar_dtype_promote(t, lar_float_dtype(io->in[j]->dtype));
  if (x->ndim < 2) return lar_fail(LAR_ESHAPE, "%s is not a matrix", lar_tensor_text(x));
  if (x->dtype != t) return lar_clone(out, x, t);
  lar_tensor_ref(out, x);
  return LAR_OK;
}

lar_status lar_matrices_output(lar_io *io, int k, const lar_tensor *x, int tail, int64_t m,
                               int64_t n) {
  int64_t shape[LAR_MAX_NDIM];
  int lead = x->ndim - 2;
  for (int d = 0; d < lead; d++) shape[d] = x->shape[d];
  if (tail > 0) shape[lead] = m;
  if (tail > 1) shape[lead + 1] = n;
  LAR_TRY(lar_tensor_init(&io->out[k], x->dtype, lead + tail, shape));
  io->nout = k + 1;
  return LAR_OK;
}

/* ---- for formulas ---- */

lar_var *lar_adjoint(lar_scope *s, lar_var *x) { return lar_transpose(s, x, -1, -2); }

lar_var *lar_embed_diag(lar_scope *s, lar_var *d) {
  int64_t shape[LAR_MAX_NDIM];
  if (d == NULL) return NULL;
  int n = d->t.ndim;
  if (n == LAR_MAX_NDIM)
    return lar_scope_fail(
      s, lar_fail(LAR_ESHAPE, "%s has no room for one more dimension", lar_tensor_text(&d->t)));
  for (int e = 0; e < n; e++) shape[e] = d->t.shape[e];
  shape[n] = shape[n - 1];
  lar_var *like = lar_expand(s, lar_const_like(s, d, 0), n + 1, shape);
  return LAR_CALL2(s, undiagonal, d, like);
}

lar_var *lar_identity(lar_scope *s, const lar_var *like, int64_t n) {
  return lar_embed_diag(s, lar_expand(s, lar_const_like(s, like, 1), 1, &n));
}

lar_var *lar_times_diag(lar_scope *s, lar_var *x, lar_var *d) {
  return lar_mul(s, x, lar_unsqueeze(s, d, -2));
}

lar_var *lar_times_diag_left(lar_scope *s, lar_var *d, lar_var *x) {
  return lar_mul(s, lar_unsqueeze(s, d, -1), x);
}

lar_var *lar_gaps(lar_scope *s, lar_var *v) {
  if (v == NULL) return NULL;
  lar_var *eye = lar_identity(s, v, v->t.shape[v->t.ndim - 1]);
  lar_var *gap = lar_sub(s, lar_unsqueeze(s, v, -2), lar_unsqueeze(s, v, -1));
  lar_var *inverse = LAR_CALL1(s, reciprocal, lar_add(s, gap, eye));
  return lar_mul(s, inverse, lar_affine(s, eye, -1, 1));
}
