#include "op/along.h"
#include "op/reduce.h"

static const lar_param params[] = {LAR_KEEPDIM, {0}};

/* One quantile of sorted values: between two neighbours, in a straight line. */
static lar_var *at(lar_scope *s, lar_var *sorted, int64_t d, double q) {
  int e = 0;
  (void)lar_dim(d, sorted->t.ndim, &e);
  double place = q * (double)(sorted->t.shape[e] - 1);
  int64_t low = (int64_t)floor(place);
  double part = place - (double)low;
  lar_var *a = lar_narrow(s, sorted, d, low + 1, 1);
  if (part == 0) return a;
  lar_var *b = lar_narrow(s, sorted, d, low + 2, 1);
  return lar_add(s, a, lar_affine(s, lar_sub(s, b, a), part, 0));
}

static lar_var *check(lar_scope *s, lar_var *x, const lar_tensor *q, int64_t d) {
  int e = 0;
  lar_status st = d == LAR_NONE ? LAR_OK : lar_dim(d, x->t.ndim, &e);
  if (st == LAR_OK) st = lar_op_peek("quantile, whose q is read,");
  if (st == LAR_OK && q->ndim > 1)
    st = lar_fail(LAR_ESHAPE, "q is a number or a list of them, not %s", lar_tensor_text(q));
  if (st == LAR_OK && (lar_tensor_numel(&x->t) == 0 || lar_tensor_numel(q) == 0))
    st = lar_fail(LAR_ESHAPE, "%s has no elements to choose from",
                  lar_tensor_text(lar_tensor_numel(q) == 0 ? q : &x->t));
  for (int64_t k = 0; st == LAR_OK && k < lar_tensor_numel(q); k++) {
    double v = lar_tensor_get(q, q->ndim > 0 ? k * q->stride[0] : 0);
    if (!(v >= 0 && v <= 1)) st = lar_fail(LAR_EARG, "q = %g is not in 0..1", v);
  }
  return st == LAR_OK ? x : lar_scope_fail(s, st);
}

/* A row with a NaN has no quantiles; the order puts NaN last. */
static lar_var *spoil(lar_scope *s, lar_var *y, lar_var *sorted, int64_t d) {
  lar_var *last = lar_narrow(s, sorted, d, -1, 1);
  return lar_where(s, LAR_CALL1(s, isnan, last), last, y);
}

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  const lar_tensor *q = &in[1]->t;
  int64_t d = lar_attr_int(a, 0);
  lar_var *x = lar_cast(s, in[0], lar_float_dtype(in[0]->t.dtype)), *y = NULL;
  if (x == NULL || check(s, x, q, d) == NULL) return NULL;
  int ndim = x->t.ndim;
  if (d == LAR_NONE) x = lar_reshape(s, x, 1, (int64_t[]){-1});
  int64_t along = d == LAR_NONE ? 1 : d;
  lar_var *sorted = lar_with_dim(s, LAR_OP(sort), x, along);
  if (sorted == NULL) return NULL;
  for (int64_t k = 0; k < lar_tensor_numel(q); k++) {
    double v = lar_tensor_get(q, q->ndim > 0 ? k * q->stride[0] : 0);
    lar_var *one = spoil(s, at(s, sorted, along, v), sorted, along);
    if (a->f[0] == 0)
      one = lar_squeeze(s, one, along);
    else if (d == LAR_NONE)
      one = lar_reshape(s, one, ndim, (int64_t[LAR_MAX_NDIM]){1, 1, 1, 1, 1, 1, 1, 1});
    if (q->ndim > 0) one = lar_unsqueeze(s, one, 1);
    if (y == NULL)
      y = one;
    else
      y = lar_apply(s, LAR_OP(cat), NULL, 2, (lar_var *[]){y, one});
  }
  return y;
}

LAR_ENTRY(op, quantile) = {
  .name = "quantile",
  .doc = "quantile(q, dim): interpolated linearly; several q make a new first dimension",
  .args = "xxi?",
  .params = params,
  .nin = 2,
  .compose = compose,
};
