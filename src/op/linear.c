#include "kern/bias.h"
#include "kern/copy.h"
#include "kern/gemm.h"
#include "op/along.h"
#include "op/calc.h"

static lar_status check(const lar_tensor *x, const lar_tensor *w, const lar_tensor *b) {
  if (x->ndim != 2 || w->ndim != 2 || b->ndim != 1 || x->shape[1] != w->shape[1] ||
      b->shape[0] != w->shape[0])
    return lar_fail(LAR_ESHAPE, "input %s, weight %s and bias %s do not fit",
                    lar_tensor_text(x), lar_tensor_text(w), lar_tensor_text(b));
  return LAR_OK;
}

/* t itself or a converted copy. */
static lar_status meet(lar_tensor *out, const lar_tensor *t, lar_dtype dtype) {
  if (t->dtype != dtype) return lar_clone(out, t, dtype);
  lar_tensor_ref(out, t);
  return LAR_OK;
}

/* BLAS is quicker with a small product when nothing is there to add to. */
static bool is_small(const lar_tensor *x, const lar_tensor *y) {
  const double most = 1 << 15;
  return (double)x->shape[0] * (double)x->shape[1] * (double)y->shape[1] <= most;
}

static void add_bias(const lar_tensor *y, const lar_tensor *b) {
  lar_bias_body *add = y->dtype == LAR_F32 ? lar_bias_add_f32 : lar_bias_add_f64;
  add(y->shape[0], y->shape[1], lar_tensor_data(y), lar_tensor_data(b));
}

static lar_status forward(lar_io *io) {
  const lar_tensor *b = io->in[2];
  lar_tensor x = {0}, w = {0}, *y = &io->out[0];
  lar_status st = check(io->in[0], io->in[1], b);
  if (st != LAR_OK) return st;
  lar_dtype t = lar_float_dtype(lar_dtype_promote(io->in[0]->dtype, io->in[1]->dtype));
  io->nout = 1;
  LAR_GO(lar_tensor_init(y, t, 2, (int64_t[]){io->in[0]->shape[0], io->in[1]->shape[0]}));
  LAR_GO(meet(&x, io->in[0], t));
  LAR_GO(meet(&w, io->in[1], t));
  int64_t swap = w.shape[0], stride = w.stride[0];
  w.shape[0] = w.shape[1], w.shape[1] = swap;
  w.stride[0] = w.stride[1], w.stride[1] = stride;
  if (is_small(&x, y) && b->dtype == t && b->stride[0] == 1) {
    LAR_GO(lar_gemm(y, &x, &w, 1, 0));
    add_bias(y, b);
  } else {
    LAR_GO(lar_copy(y, b));
    if (x.shape[1] > 0) LAR_GO(lar_gemm(y, &x, &w, 1, 1));
  }
done:
  lar_tensor_clear(&x);
  lar_tensor_clear(&w);
  return st;
}

static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *g = v->g[0];
  if (v->need[0]) v->gx[0] = LAR_CALL2(s, matmul2, g, v->x[1]);
  if (v->need[1]) v->gx[1] = LAR_CALL2(s, matmul2, lar_transpose(s, g, 1, 2), v->x[0]);
  if (v->need[2]) v->gx[2] = lar_sum_dim(s, g, 1, false);
}

LAR_ENTRY(op, linear) = {
  .name = "linear",
  .doc = "x w^T + b for rows x (n, in), weight (out, in) and bias (out)",
  .args = "xxx",
  .nin = 3,
  .traits = LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
};
