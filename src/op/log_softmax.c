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
    lar_softmax(LAR_LOG_SOFTMAX, t, lar_tensor_data(&io->out[0]), lar_tensor_data(&a.t),
                a.sizes);
  lar_tensor_clear(&a.t);
  return st;
}

/* g - exp(y) sum g */
static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *y = v->y[0], *g = v->g[0];
  int64_t d = lar_attr_int(v->attr, 0);
  lar_var *sum = y->t.ndim == 0 ? g : lar_sum_dim(s, g, d == LAR_NONE ? -1 : d, true);
  v->gx[0] = lar_sub(s, g, lar_mul(s, LAR_CALL1(s, exp, y), sum));
}

LAR_ENTRY(op, log_softmax) = {
  .name = "log_softmax",
  .doc = "log of softmax, exact where softmax underflows; the last dimension unless named",
  .args = "xi?",
  .nin = 1,
  .forward = forward,
  .vjp = vjp,
};
