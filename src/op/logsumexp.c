#include "kern/copy.h"
#include "kern/reduce.h"
#include "kern/softmax.h"
#include "op/along.h"
#include "op/reduce.h"

static const lar_param params[] = {LAR_KEEPDIM, {0}};

static lar_status forward(lar_io *io) {
  bool covered[LAR_MAX_NDIM];
  int64_t sizes[3], shape[LAR_MAX_NDIM];
  lar_tensor x = {0}, block = {0}, *y = &io->out[0];
  lar_status st = LAR_OK;
  lar_dtype t = lar_float_dtype(io->in[0]->dtype);
  LAR_TRY(lar_dims(io->attr, 0, io->in[0]->ndim, covered));
  LAR_GO(lar_contiguous(&x, io->in[0], t));
  LAR_GO(lar_reduce_layout(&block, &x, covered, sizes));
  int ndim = lar_reduce_shape(&x, covered, io->attr->f[0] != 0, shape);
  LAR_GO(lar_tensor_init(y, t, ndim, shape));
  io->nout = 1;
  lar_softmax(LAR_LOGSUMEXP, t, lar_tensor_data(y), lar_tensor_data(&block), sizes);
done:
  lar_tensor_clear(&x);
  lar_tensor_clear(&block);
  return st;
}

/* g exp(x - y); where y is -inf every x is, and exp(x) is the 0 that is wanted. */
static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *x = v->x[0], *y = lar_unreduce(s, v->y[0], x, v->attr);
  lar_var *low = LAR_CALL2(s, eq, y, lar_const_like(s, x, -HUGE_VAL));
  lar_var *shift = lar_where(s, low, lar_const_like(s, x, 0), y);
  lar_var *share = LAR_CALL1(s, exp, lar_sub(s, x, shift));
  v->gx[0] = lar_mul(s, lar_unreduce(s, v->g[0], x, v->attr), share);
}

LAR_ENTRY(op, logsumexp) = {
  .name = "logsumexp",
  .doc = "log of the sum of exp(x), over all elements or over dimensions, without overflow",
  .args = "xD",
  .params = params,
  .nin = 1,
  .forward = forward,
  .vjp = vjp,
};
