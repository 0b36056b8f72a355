#include "kern/copy.h"
#include "kern/lapack.h"
#include "op/matrices.h"

static lar_status identity(lar_tensor *out, const lar_tensor *a) {
  int64_t n = a->shape[a->ndim - 1];
  LAR_TRY(lar_tensor_zeros(out, a->dtype, 2, (int64_t[]){n, n}));
  for (int64_t i = 0; i < n; i++) lar_tensor_put(out, i * (n + 1), 1);
  return LAR_OK;
}

static lar_status forward(lar_io *io) {
  lar_tensor a = {0}, one = {0};
  lar_status st = LAR_OK;
  LAR_TRY(lar_matrices_input(io, 0, &a));
  LAR_GO(identity(&one, &a));
  int64_t n = a.shape[a.ndim - 1], count = lar_matrices_count(&a, 2);
  LAR_GO(lar_matrices_output(io, 0, &a, 2, n, n));
  for (int64_t i = 0; i < count && st == LAR_OK; i++) {
    lar_tensor x = lar_matrices_at(&io->out[0], 2, i), p = lar_matrices_at(&a, 2, i);
    st = lar_lapack_solve(&x, &p, &one);
  }
done:
  lar_tensor_clear(&a);
  lar_tensor_clear(&one);
  return st;
}

static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *yt = lar_adjoint(s, v->y[0]);
  v->gx[0] = lar_neg(s, lar_matmul(s, yt, lar_matmul(s, v->g[0], yt)));
}

LAR_ENTRY(op, inv) = {
  .name = "inv",
  .doc = "inverse of a square matrix; to solve equations use solve",
  .args = "x",
  .nin = 1,
  .forward = forward,
  .vjp = vjp,
};
