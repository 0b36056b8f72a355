#include "op/calc.h"

/* (a, b) repeated (m, n) times is (1, a, 1, b) expanded to (m, a, n, b), in one piece. The
 * merged shape may have at most LAR_MAX_NDIM dimensions, so they are done one at a time. */
static lar_var *along(lar_scope *s, lar_var *x, int d, int64_t times) {
  int64_t shape[LAR_MAX_NDIM], block[3] = {1, times, 1};
  if (x == NULL || times == 1) return x;
  for (int e = 0; e < x->t.ndim; e++) {
    shape[e] = x->t.shape[e];
    block[e < d ? 0 : 2] *= shape[e];
  }
  shape[d] *= times;
  lar_var *thin = lar_reshape(s, x, 3, (int64_t[]){block[0], 1, block[2]});
  return lar_reshape(s, lar_expand(s, thin, 3, block), x->t.ndim, shape);
}

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  lar_var *x = in[0];
  int64_t shape[LAR_MAX_NDIM];
  int n = a->n > x->t.ndim ? a->n : x->t.ndim, lead = n - x->t.ndim;
  if (n > LAR_MAX_NDIM)
    return lar_scope_fail(
      s, lar_fail(LAR_ESHAPE, "a tensor has at most %d dimensions, not %d", LAR_MAX_NDIM, n));
  for (int d = 0; d < n; d++) shape[d] = d < lead ? 1 : x->t.shape[d - lead];
  if (lead > 0) x = lar_reshape(s, x, n, shape);
  for (int d = 0; d < a->n; d++) {
    if (a->i[d] < 0 || a->i[d] > INT32_MAX)
      return lar_scope_fail(s,
                            lar_fail(LAR_ESHAPE, "%lld repetitions are %s", (long long)a->i[d],
                                     a->i[d] < 0 ? "negative" : "too many"));
    x = along(s, x, n - a->n + d, a->i[d]);
  }
  return x == in[0] ? LAR_CALL1(s, clone, x) : x;
}

LAR_ENTRY(op, tile) = {
  .name = "tile",
  .doc = "the whole repeated along each dimension: tile(2, 3)",
  .args = "xs",
  .nin = 1,
  .compose = compose,
};
