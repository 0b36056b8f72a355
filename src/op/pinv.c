#include <float.h>

#include "kern/copy.h"
#include "kern/gemm.h"
#include "kern/lapack.h"
#include "op/matrices.h"

static const lar_param params[] = {
  {"rtol", LAR_AT(0), -1, -1, 1,
   "singular values below rtol times the largest count as 0; -1: max(m, n) eps"},
  {0},
};

/* p = v diag(1 / s) u' with the inverse of what counts as 0 left at 0. */
static lar_status one(const lar_tensor *p, const lar_tensor *a, double rtol) {
  int64_t m = a->shape[0], n = a->shape[1], k = m < n ? m : n;
  double eps = a->dtype == LAR_F32 ? (double)FLT_EPSILON : DBL_EPSILON;
  lar_tensor u = {0}, s = {0}, v = {0};
  lar_status st = LAR_OK;
  if (rtol < 0) rtol = (double)(m > n ? m : n) * eps;
  LAR_GO(lar_tensor_init(&u, a->dtype, 2, (int64_t[]){m, k}));
  LAR_GO(lar_tensor_init(&s, a->dtype, 1, &k));
  LAR_GO(lar_tensor_init(&v, a->dtype, 2, (int64_t[]){n, k}));
  LAR_GO(lar_lapack_svd(&u, &s, &v, a));
  for (int64_t j = 0; j < k; j++) {
    double value = lar_tensor_get(&s, j), top = lar_tensor_get(&s, 0);
    for (int64_t i = 0; i < n; i++) {
      double x = lar_tensor_get(&v, i * k + j);
      lar_tensor_put(&v, i * k + j, value > rtol * top ? x / value : 0);
    }
  }
  lar_tensor ut = u;
  ut.shape[0] = k, ut.stride[0] = u.stride[1];
  ut.shape[1] = m, ut.stride[1] = u.stride[0];
  LAR_GO(lar_gemm(p, &v, &ut, 1, 0));
done:
  lar_tensor_clear(&u);
  lar_tensor_clear(&s);
  lar_tensor_clear(&v);
  return st;
}

static lar_status forward(lar_io *io) {
  lar_tensor a = {0};
  lar_status st = LAR_OK;
  LAR_TRY(lar_matrices_input(io, 0, &a));
  int64_t count = lar_matrices_count(&a, 2);
  LAR_GO(lar_matrices_output(io, 0, &a, 2, a.shape[a.ndim - 1], a.shape[a.ndim - 2]));
  for (int64_t i = 0; i < count && st == LAR_OK; i++) {
    lar_tensor x = lar_matrices_at(&a, 2, i), p = lar_matrices_at(&io->out[0], 2, i);
    st = one(&p, &x, io->attr->f[0]);
  }
done:
  lar_tensor_clear(&a);
  return st;
}

/* Golub & Pereyra 1973, for changes that keep the rank:
 * -p' g p' + (1 - a p) g' p p' + p' p g' (1 - p a). */
static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *a = v->x[0], *p = v->y[0], *pt = lar_adjoint(s, p), *gt = lar_adjoint(s, v->g[0]);
  lar_var *direct = lar_matmul(s, pt, lar_matmul(s, v->g[0], pt));
  lar_var *x = lar_matmul(s, gt, lar_matmul(s, p, pt));
  lar_var *left = lar_sub(s, x, lar_matmul(s, a, lar_matmul(s, p, x)));
  lar_var *y = lar_matmul(s, lar_matmul(s, pt, p), gt);
  lar_var *right = lar_sub(s, y, lar_matmul(s, lar_matmul(s, y, p), a));
  v->gx[0] = lar_sub(s, lar_add(s, left, right), direct);
}

LAR_ENTRY(op, pinv) = {
  .name = "pinv",
  .doc = "Moore-Penrose inverse, by singular values",
  .args = "x",
  .params = params,
  .nin = 1,
  .forward = forward,
  .vjp = vjp,
};
