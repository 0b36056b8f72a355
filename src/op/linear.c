#include "core/par.h"
#include "kern/copy.h"
#include "kern/gemm.h"
#include "kern/loop.h"
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

/* What may be done with an output while it is written, by attr.i[0]. */
extern const lar_op lar_op_relu, lar_op_sigmoid, lar_op_tanh;
static const lar_op *const then[] = {NULL, &lar_op_relu, &lar_op_sigmoid, &lar_op_tanh};
enum { THEN = sizeof then / sizeof *then };

typedef struct rest {
  const lar_tensor *y;
  const lar_op *then;
} rest;

/* Rows of what follows, while they are in the cache. */
static void finish(void *ctx, int64_t begin, int64_t end) {
  static const double none[LAR_ATTR_REALS];
  const rest *r = ctx;
  int64_t n = r->y->shape[1], size = (int64_t)lar_dtype_size(r->y->dtype);
  char *y = (char *)lar_tensor_data(r->y) + begin * n * size;
  r->then->map[r->y->dtype == LAR_F64]((end - begin) * n, y, (const void *const[]){y}, none);
}

/* The bias comes with the product, and so does relu. */
static lar_status multiply(const lar_tensor *y, const lar_tensor *x, const lar_tensor *w,
                           const lar_tensor *b, const lar_attr *attr) {
  rest r = {y, then[attr->n > 0 ? attr->i[0] : 0]};
  lar_after after = {.bias = lar_tensor_data(b), .clips = r.then == LAR_OP(relu)};
  LAR_TRY(lar_gemm_then(y, x, w, &after));
  if (r.then == NULL || after.clips || lar_tensor_numel(y) == 0) return LAR_OK;
  int64_t n = y->shape[1], rows = lar_loop_grain(y->shape[0] * n) / n;
  lar_par_for(y->shape[0], rows > 0 ? rows : 1, finish, &r);
  return LAR_OK;
}

static bool absorb(lar_attr *attr, const lar_op *next, bool more) {
  (void)more;
  for (int k = 1; k < THEN; k++) {
    if (then[k] != next) continue;
    attr->n = 1;
    attr->i[0] = k;
    return true;
  }
  return false;
}

static lar_status forward(lar_io *io) {
  const lar_tensor *b = io->in[2];
  lar_tensor x = {0}, w = {0}, bias = {0}, *y = &io->out[0];
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
  LAR_GO(lar_contiguous(&bias, b, t));
  LAR_GO(multiply(y, &x, &w, &bias, io->attr));
done:
  lar_tensor_clear(&x);
  lar_tensor_clear(&w);
  lar_tensor_clear(&bias);
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
  .absorb = absorb,
};
