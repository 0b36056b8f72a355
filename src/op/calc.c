#include "op/calc.h"

#include <string.h>

void lar_attr_reset(lar_attr *a, const lar_op *op) {
  a->n = 0;
  if (op->params != NULL) lar_param_default(op->params, a);
}

lar_attr lar_attr_default(const lar_op *op) {
  lar_attr a;
  lar_attr_reset(&a, op);
  return a;
}

lar_var *lar_call1(lar_scope *s, const lar_op *op, lar_var *a) {
  return lar_apply(s, op, NULL, 1, &a);
}

lar_var *lar_call2(lar_scope *s, const lar_op *op, lar_var *a, lar_var *b) {
  return lar_apply(s, op, NULL, 2, (lar_var *[]){a, b});
}

lar_var *lar_call3(lar_scope *s, const lar_op *op, lar_var *a, lar_var *b, lar_var *c) {
  return lar_apply(s, op, NULL, 3, (lar_var *[]){a, b, c});
}

lar_var *lar_call1f(lar_scope *s, const lar_op *op, lar_var *a, double p) {
  lar_attr attr = lar_attr_default(op);
  attr.f[0] = p;
  return lar_apply(s, op, &attr, 1, &a);
}

lar_var *lar_const_like(lar_scope *s, const lar_var *v, double value) {
  lar_var *out;
  if (s->status != LAR_OK || v == NULL) return NULL;
  lar_status st = lar_var_scalar(&out, v->t.dtype, value);
  return st == LAR_OK ? lar_scope_own(s, out) : lar_scope_fail(s, st);
}

lar_var *lar_full_like(lar_scope *s, const lar_var *v, double value) {
  return v == NULL ? NULL : lar_expand(s, lar_const_like(s, v, value), v->t.ndim, v->t.shape);
}

lar_var *lar_wrap(lar_scope *s, const lar_tensor *t) {
  lar_var *out;
  if (s->status != LAR_OK) return NULL;
  lar_status st = lar_var_new(&out, t);
  return st == LAR_OK ? lar_scope_own(s, out) : lar_scope_fail(s, st);
}

lar_var *lar_detach(lar_scope *s, lar_var *v) { return v == NULL ? NULL : lar_wrap(s, &v->t); }

lar_var *lar_add(lar_scope *s, lar_var *a, lar_var *b) { return LAR_CALL2(s, add, a, b); }
lar_var *lar_sub(lar_scope *s, lar_var *a, lar_var *b) { return LAR_CALL2(s, sub, a, b); }
lar_var *lar_mul(lar_scope *s, lar_var *a, lar_var *b) { return LAR_CALL2(s, mul, a, b); }
lar_var *lar_div(lar_scope *s, lar_var *a, lar_var *b) { return LAR_CALL2(s, div, a, b); }
lar_var *lar_neg(lar_scope *s, lar_var *a) { return LAR_CALL1(s, neg, a); }

lar_var *lar_affine(lar_scope *s, lar_var *a, double scale, double shift) {
  lar_attr attr = lar_attr_default(LAR_OP(affine));
  attr.f[0] = scale;
  attr.f[1] = shift;
  return lar_apply(s, LAR_OP(affine), &attr, 1, &a);
}

lar_var *lar_pow(lar_scope *s, lar_var *a, double power) {
  return LAR_CALL2(s, pow, a, lar_const_like(s, a, power));
}

lar_var *lar_where(lar_scope *s, lar_var *cond, lar_var *a, lar_var *b) {
  return LAR_CALL3(s, where, cond, a, b);
}

lar_var *lar_clamp(lar_scope *s, lar_var *a, double lo, double hi) {
  lar_attr attr = lar_attr_default(LAR_OP(clamp));
  attr.f[0] = lo;
  attr.f[1] = hi;
  return lar_apply(s, LAR_OP(clamp), &attr, 1, &a);
}

/* ---- reductions ---- */

lar_var *lar_sum(lar_scope *s, lar_var *a) { return LAR_CALL1(s, sum, a); }
lar_var *lar_mean(lar_scope *s, lar_var *a) { return LAR_CALL1(s, mean, a); }

static lar_var *along(lar_scope *s, const lar_op *op, lar_var *a, int64_t dim, bool keepdim) {
  lar_attr attr = lar_attr_default(op);
  attr.n = 1;
  attr.i[0] = dim;
  attr.f[0] = keepdim;
  return lar_apply(s, op, &attr, 1, &a);
}

lar_var *lar_sum_dim(lar_scope *s, lar_var *a, int64_t dim, bool keepdim) {
  return along(s, LAR_OP(sum), a, dim, keepdim);
}

lar_var *lar_mean_dim(lar_scope *s, lar_var *a, int64_t dim, bool keepdim) {
  return along(s, LAR_OP(mean), a, dim, keepdim);
}

lar_var *lar_with_dim(lar_scope *s, const lar_op *op, lar_var *a, int64_t dim) {
  lar_attr attr = lar_attr_default(op);
  attr.n = 1;
  attr.i[0] = dim;
  return lar_apply(s, op, &attr, 1, &a);
}

/* ---- shapes ---- */

static lar_var *shaped(lar_scope *s, const lar_op *op, lar_var *a, int ndim,
                       const int64_t *shape) {
  lar_attr attr = lar_attr_default(op);
  attr.n = ndim;
  if (ndim > 0) memcpy(attr.i, shape, (size_t)ndim * sizeof *shape);
  return lar_apply(s, op, &attr, 1, &a);
}

lar_var *lar_expand(lar_scope *s, lar_var *a, int ndim, const int64_t *shape) {
  if (a == NULL) return NULL;
  return shaped(s, LAR_OP(expand), a, ndim, shape);
}

lar_var *lar_reshape(lar_scope *s, lar_var *a, int ndim, const int64_t *shape) {
  return shaped(s, LAR_OP(reshape), a, ndim, shape);
}

lar_var *lar_sum_to(lar_scope *s, lar_var *a, const lar_tensor *to) {
  if (a == NULL) return NULL;
  int lead = a->t.ndim - to->ndim;
  if (lar_tensor_same_shape(&a->t, to)) return a;
  lar_attr attr = lar_attr_default(LAR_OP(sum));
  attr.f[0] = 1; /* keepdim */
  for (int d = 0; d < a->t.ndim; d++)
    if (d < lead || (to->shape[d - lead] == 1 && a->t.shape[d] != 1)) attr.i[attr.n++] = d + 1;
  if (attr.n > 0) a = lar_apply(s, LAR_OP(sum), &attr, 1, &a);
  return lead > 0 ? lar_reshape(s, a, to->ndim, to->shape) : a;
}

lar_var *lar_cast(lar_scope *s, lar_var *a, lar_dtype dtype) {
  if (a == NULL || a->t.dtype == dtype) return a;
  lar_attr attr = {.n = 1, .i = {dtype}};
  return lar_apply(s, LAR_OP(cast), &attr, 1, &a);
}

lar_var *lar_unsqueeze(lar_scope *s, lar_var *a, int64_t dim) {
  return lar_with_dim(s, LAR_OP(unsqueeze), a, dim);
}

lar_var *lar_squeeze(lar_scope *s, lar_var *a, int64_t dim) {
  return lar_with_dim(s, LAR_OP(squeeze), a, dim);
}

lar_var *lar_transpose(lar_scope *s, lar_var *a, int64_t d1, int64_t d2) {
  lar_attr attr = lar_attr_default(LAR_OP(transpose));
  attr.n = 2;
  attr.i[0] = d1, attr.i[1] = d2;
  return lar_apply(s, LAR_OP(transpose), &attr, 1, &a);
}

lar_var *lar_narrow(lar_scope *s, lar_var *a, int64_t dim, int64_t start, int64_t len) {
  lar_attr attr = {.n = 3, .i = {dim, start, len}};
  return lar_apply(s, LAR_OP(narrow), &attr, 1, &a);
}

lar_var *lar_matmul(lar_scope *s, lar_var *a, lar_var *b) { return LAR_CALL2(s, matmul, a, b); }
