#include <math.h>

#include "kern/lapack.h"
#include "op/matrices.h"

static lar_status forward(lar_io *io) {
  lar_tensor a = {0};
  lar_status st = LAR_OK;
  LAR_TRY(lar_matrices_input(io, 0, &a));
  int64_t count = lar_matrices_count(&a, 2);
  LAR_GO(lar_matrices_output(io, 0, &a, 0, 0, 0));
  for (int64_t i = 0; i < count; i++) {
    lar_tensor x = lar_matrices_at(&a, 2, i);
    double sign, size;
    LAR_GO(lar_lapack_slogdet(&sign, &size, &x));
    lar_tensor_put(&io->out[0], i, sign == 0 ? 0 : sign * exp(size));
  }
done:
  lar_tensor_clear(&a);
  return st;
}

/* det(x) x^-T: needs the inverse, so a singular matrix has a value but no derivative here. */
static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *g = lar_mul(s, v->g[0], v->y[0]);
  g = lar_unsqueeze(s, lar_unsqueeze(s, g, -1), -1);
  v->gx[0] = lar_mul(s, g, lar_adjoint(s, LAR_CALL1(s, inv, v->x[0])));
}

LAR_ENTRY(op, det) = {
  .name = "det",
  .doc = "determinant of a square matrix",
  .args = "x",
  .nin = 1,
  .forward = forward,
  .vjp = vjp,
};
