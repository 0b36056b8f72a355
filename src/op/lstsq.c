#include <float.h>
#include <math.h>

#include "op/matrices.h"

/* Is the triangle r of a batch's every matrix safely invertible? */
static bool regular(const lar_tensor *r, int64_t m) {
  double eps = r->dtype == LAR_F32 ? (double)FLT_EPSILON : DBL_EPSILON;
  int64_t n = r->shape[r->ndim - 1];
  for (int64_t k = 0; k < lar_matrices_count(r, 2); k++) {
    lar_tensor t = lar_matrices_at(r, 2, k);
    double top = 0, least = HUGE_VAL;
    for (int64_t i = 0; i < n; i++) {
      double d = fabs(lar_tensor_get(&t, i * (t.stride[0] + t.stride[1])));
      top = d > top ? d : top;
      least = d < least ? d : least;
    }
    if (n > 0 && !(least > 10 * (double)m * eps * top)) return false;
  }
  return true;
}

/* Through q r where the columns are independent, else by the Moore-Penrose inverse, which
 * gives the shortest of the best solutions. */
static lar_var *compose(lar_scope *s, const lar_attr *attr, int nin, lar_var *const *in) {
  lar_var *a = in[0], *b = in[1], *out[LAR_MAX_OUT];
  int nout;
  if (a->t.ndim < 2 || b->t.ndim < 1 ||
      b->t.shape[b->t.ndim == 1 ? 0 : b->t.ndim - 2] != a->t.shape[a->t.ndim - 2])
    return lar_scope_fail(s, lar_fail(LAR_ESHAPE,
                                      "a matrix of shape %s and a right side of shape %s",
                                      lar_tensor_text(&a->t), lar_tensor_text(&b->t)));
  int64_t m = a->t.shape[a->t.ndim - 2], n = a->t.shape[a->t.ndim - 1];
  if (m >= n) {
    lar_status st = lar_op_apply(LAR_OP(qr), NULL, 1, &a, &nout, out);
    if (st != LAR_OK) return lar_scope_fail(s, st);
    lar_var *q = lar_scope_own(s, out[0]), *r = lar_scope_own(s, out[1]);
    if (q == NULL || r == NULL) return NULL;
    lar_attr upper = lar_attr_default(LAR_OP(solve_triangular));
    upper.f[0] = 1;
    lar_var *pair[] = {r, lar_matmul(s, lar_adjoint(s, q), b)};
    if (pair[1] == NULL) return NULL;
    if (regular(&r->t, m)) return lar_apply(s, LAR_OP(solve_triangular), &upper, 2, pair);
  }
  return lar_matmul(s, LAR_CALL1(s, pinv, a), b);
}

LAR_ENTRY(op, lstsq) = {
  .name = "lstsq",
  .doc = "the x with the least |a x - b|, and of several the shortest; b a vector or matrix",
  .args = "xx",
  .nin = 2,
  .compose = compose,
};
