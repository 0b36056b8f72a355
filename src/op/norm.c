#include "kern/norm.h"
#include "kern/copy.h"
#include "kern/reduce.h"
#include "op/along.h"
#include "op/reduce.h"

static const lar_param params[] = {
  LAR_KEEPDIM,
  {"p", LAR_AT(1), 2, 0, HUGE_VAL, "order: 2, 1, 0 (count), math.huge (largest), any other"},
  {0},
};

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
  (t == LAR_F32 ? lar_norm_f32 : lar_norm_f64)(lar_tensor_data(y), lar_tensor_data(&block),
                                               sizes, io->attr->f[1]);
done:
  lar_tensor_clear(&x);
  lar_tensor_clear(&block);
  return st;
}

/* v where it is not 0, else 1: to be divided by. */
static lar_var *not0(lar_scope *s, lar_var *v) {
  lar_var *zero = LAR_CALL2(s, eq, v, lar_const_like(s, v, 0));
  return lar_where(s, zero, lar_const_like(s, v, 1), v);
}

/* Where a norm is 0 its derivative is taken as 0. Largest magnitudes share evenly. */
static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  double p = v->attr->f[1];
  lar_var *x = v->x[0], *y = lar_unreduce(s, v->y[0], x, v->attr);
  lar_var *g = lar_unreduce(s, v->g[0], x, v->attr), *sign = LAR_CALL1(s, sign, x);
  if (p == 0) return;
  if (p == 1) {
    v->gx[0] = lar_mul(s, g, sign);
  } else if (p == 2) {
    v->gx[0] = lar_mul(s, x, lar_div(s, g, not0(s, y)));
  } else if (isinf(p)) {
    lar_var *hit = LAR_CALL2(s, eq, LAR_CALL1(s, abs, x), lar_detach(s, y));
    hit = lar_cast(s, hit, x->t.dtype);
    lar_var *n = hit == NULL ? NULL : lar_apply(s, LAR_OP(sum), v->attr, 1, &hit);
    n = n == NULL ? NULL : lar_unreduce(s, n, x, v->attr);
    v->gx[0] = lar_mul(s, lar_mul(s, sign, hit), lar_div(s, g, n));
  } else {
    lar_var *share = lar_pow(s, lar_div(s, not0(s, LAR_CALL1(s, abs, x)), not0(s, y)), p - 1);
    v->gx[0] = lar_mul(s, g, lar_mul(s, sign, share));
  }
}

LAR_ENTRY(op, norm) = {
  .name = "norm",
  .doc = "p-norm over all elements or over dimensions: norm(dim, {p = 2})",
  .args = "xD",
  .params = params,
  .nin = 1,
  .forward = forward,
  .vjp = vjp,
};
