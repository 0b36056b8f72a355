#include "op/calc.h"
#include "op/slice.h"

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  const lar_tensor *x = &in[0]->t;
  int d;
  int64_t start;
  lar_status st = lar_dim(a->i[0], x->ndim, &d);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  int64_t len = a->i[2];
  if (len == 0 && (a->i[1] == x->shape[d] + 1 || x->shape[d] == 0))
    start = 0;
  else if ((st = lar_index(a->i[1], x->shape[d], &start)) != LAR_OK)
    return lar_scope_fail(s, st);
  if (len < 0 || len > x->shape[d] - start)
    return lar_scope_fail(
      s, lar_fail(LAR_ESHAPE, "%lld elements from %lld do not fit into dimension %d of %s",
                  (long long)len, (long long)a->i[1], d + 1, lar_tensor_text(x)));
  lar_attr cut = lar_slice_all(x);
  cut.i[4 * d] = start;
  cut.i[4 * d + 1] = len;
  return lar_apply(s, LAR_OP(slice), &cut, 1, in);
}

LAR_ENTRY(op, narrow) = {
  .name = "narrow",
  .doc =
    "`length` elements of a dimension, from `start` on; a view: narrow(dim, start, length)",
  .args = "xdii",
  .nin = 1,
  .compose = compose,
};
