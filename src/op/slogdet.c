#include "kern/lapack.h"
#include "op/matrices.h"

static lar_status forward(lar_io *io) {
  lar_tensor a = {0};
  lar_status st = LAR_OK;
  LAR_TRY(lar_matrices_input(io, 0, &a));
  int64_t count = lar_matrices_count(&a, 2);
  LAR_GO(lar_matrices_output(io, 0, &a, 0, 0, 0));
  LAR_GO(lar_matrices_output(io, 1, &a, 0, 0, 0));
  for (int64_t i = 0; i < count; i++) {
    lar_tensor x = lar_matrices_at(&a, 2, i);
    double sign, size;
    LAR_GO(lar_lapack_slogdet(&sign, &size, &x));
    lar_tensor_put(&io->out[0], i, sign);
    lar_tensor_put(&io->out[1], i, size);
  }
done:
  lar_tensor_clear(&a);
  return st;
}

static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  if (v->g[1] == NULL) return; /* the sign stays as it is */
  lar_var *g = lar_unsqueeze(s, lar_unsqueeze(s, v->g[1], -1), -1);
  v->gx[0] = lar_mul(s, g, lar_adjoint(s, LAR_CALL1(s, inv, v->x[0])));
}

LAR_ENTRY(op, slogdet) = {
  .name = "slogdet",
  .doc = "sign and logarithm of the absolute value of a square matrix's determinant",
  .args = "x",
  .nin = 1,
  .nout = 2,
  .forward = forward,
  .vjp = vjp,
};
