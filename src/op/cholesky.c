#include "kern/lapack.h"
#include "op/matrices.h"

static lar_status forward(lar_io *io) {
  lar_tensor a = {0};
  lar_status st = LAR_OK;
  LAR_TRY(lar_matrices_input(io, 0, &a));
  int64_t count = lar_matrices_count(&a, 2);
  LAR_GO(lar_matrices_output(io, 0, &a, 2, a.shape[a.ndim - 2], a.shape[a.ndim - 1]));
  for (int64_t i = 0; i < count && st == LAR_OK; i++) {
    lar_tensor x = lar_matrices_at(&a, 2, i), l = lar_matrices_at(&io->out[0], 2, i);
    st = lar_lapack_cholesky(&l, &x);
  }
done:
  lar_tensor_clear(&a);
  return st;
}

/* l^-T h l^-1, h = the lower triangle of l' g, its diagonal halved, made symmetric (Murray
 * 2016, Differentiation of the Cholesky decomposition). */
static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *lt = lar_adjoint(s, v->y[0]), *m = lar_matmul(s, lt, v->g[0]);
  lar_attr below = {.n = 1, .i = {-1}}, upper = lar_attr_default(LAR_OP(solve_triangular));
  upper.f[0] = 1;
  if (m == NULL) return;
  lar_var *strict = lar_apply(s, LAR_OP(tril), &below, 1, &m);
  lar_var *h = lar_affine(s, lar_add(s, LAR_CALL1(s, tril, m), lar_adjoint(s, strict)), 0.5, 0);
  if (h == NULL) return;
  lar_var *x = lar_apply(s, LAR_OP(solve_triangular), &upper, 2, (lar_var *[]){lt, h});
  lar_var *xt = lar_adjoint(s, x);
  if (xt == NULL) return;
  v->gx[0] = lar_apply(s, LAR_OP(solve_triangular), &upper, 2, (lar_var *[]){lt, xt});
}

LAR_ENTRY(op, cholesky) = {
  .name = "cholesky",
  .doc = "the lower L with (x + x') / 2 = L L', for a positive definite x",
  .args = "x",
  .nin = 1,
  .forward = forward,
  .vjp = vjp,
};
