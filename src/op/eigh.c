#include "kern/lapack.h"
#include "op/matrices.h"

static lar_status forward(lar_io *io) {
  lar_tensor a = {0};
  lar_status st = LAR_OK;
  LAR_TRY(lar_matrices_input(io, 0, &a));
  int64_t m = a.shape[a.ndim - 2], n = a.shape[a.ndim - 1], count = lar_matrices_count(&a, 2);
  LAR_GO(lar_matrices_output(io, 0, &a, 1, n, 0));
  LAR_GO(lar_matrices_output(io, 1, &a, 2, m, n));
  for (int64_t i = 0; i < count && st == LAR_OK; i++) {
    lar_tensor x = lar_matrices_at(&a, 2, i), w = lar_matrices_at(&io->out[0], 1, i),
               v = lar_matrices_at(&io->out[1], 2, i);
    st = lar_lapack_eigh(&w, &v, &x);
  }
done:
  lar_tensor_clear(&a);
  return st;
}

/* V (diag(gw) + V' gV / (w_j - w_i)) V', made symmetric as the matrix is. */
static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *w = v->y[0], *q = v->y[1], *core = NULL;
  if (v->g[1] != NULL)
    core = lar_mul(s, lar_matmul(s, lar_adjoint(s, q), v->g[1]), lar_gaps(s, w));
  if (v->g[0] != NULL) {
    lar_var *d = lar_embed_diag(s, v->g[0]);
    core = core == NULL ? d : lar_add(s, core, d);
  }
  lar_var *gx = lar_matmul(s, lar_matmul(s, q, core), lar_adjoint(s, q));
  v->gx[0] = lar_affine(s, lar_add(s, gx, lar_adjoint(s, gx)), 0.5, 0);
}

LAR_ENTRY(op, eigh) = {
  .name = "eigh",
  .doc = "w, V with (x + x') / 2 = V diag(w) V', w rising",
  .args = "x",
  .nin = 1,
  .nout = 2,
  .forward = forward,
  .vjp = vjp,
};
