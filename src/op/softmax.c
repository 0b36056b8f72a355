#include "kern/softmax.h"
#include "op/along.h"
#include "op/calc.h"

static lar_status forward(lar_io *io) {
  lar_along a;
  const lar_tensor *x = io->in[0];
  lar_dtype t = lar_float_dtype(x->dtype);
  LAR_TRY(lar_along_init(&a, x, lar_attr_int(io->attr, 0), t));
  lar_status st = lar_tensor_init(&io->out[0], t, x->ndim, x->shape);
  io->nout = 1;
  if (st == LAR_OK)
    lar_softmax(LAR_SOFTMAX, t, lar_tensor_data(&io->out[0]), lar_tensor_data(&a.t), a.sizes);
  lar_tensor_clear(&a.t);
  return st;
}

/* y (g - sum g y) */
static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *y = v->y[0], *gy = lar_mul(s, v->g[0], y);
  int64_t d = lar_attr_int(v->attr, 0);
  lar_var *sum = y->t.ndim == 0 ? gy : lar_sum_dim(s, gy, d == LAR_NONE ? -1 : d, true);
  v->gx[0] = lar_sub(s, gy, lar_mul(s, y, sum));
}

LAR_ENTRY(op, softmax) = {
  .name = "softmax",
  .doc = "exp(x) / sum exp(x) along a dimension (the last unless named)",
  .args = "xi?",
  .nin = 1,
  .forward = forward,
  .vjp = vjp,
};
