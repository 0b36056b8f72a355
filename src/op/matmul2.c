#include "kern/copy.h"
#include "kern/gemm.h"
#include "op/calc.h"

/* The last two dimensions of t at batch index k of `batch` (broadcast), as a matrix. */
static lar_tensor plane(const lar_tensor *t, int nb, const int64_t *batch, int64_t k) {
  lar_tensor m = *t;
  m.ndim = 2;
  for (int e = 0; e < 2; e++) {
    m.shape[e] = t->shape[t->ndim - 2 + e];
    m.stride[e] = t->stride[t->ndim - 2 + e];
  }
  for (int d = nb - 1; d >= 0; d--) {
    int64_t at = k % batch[d];
    k /= batch[d];
    int own = d - (nb - (t->ndim - 2));
    if (own >= 0 && t->shape[own] != 1) m.offset += at * t->stride[own];
  }
  return m;
}

static lar_status batches(const lar_tensor *a, const lar_tensor *b, int *nb, int64_t *shape) {
  lar_tensor lead[2] = {*a, *b};
  *nb = 0;
  for (int k = 0; k < 2; k++) {
    lead[k].ndim -= 2;
    LAR_TRY(lar_shape_broadcast(nb, shape, &lead[k]));
  }
  return LAR_OK;
}

static lar_status check(const lar_tensor *a, const lar_tensor *b, lar_dtype *t) {
  int64_t inner = b->shape[b->ndim - 2];
  if (a->shape[a->ndim - 1] != inner)
    return lar_fail(LAR_ESHAPE, "%s x %s: %lld is not %lld", lar_tensor_text(a),
                    lar_tensor_text(b), (long long)a->shape[a->ndim - 1], (long long)inner);
  *t = lar_dtype_promote(a->dtype, b->dtype);
  if (!lar_dtype_is_float(*t)) *t = lar_default_dtype;
  return LAR_OK;
}

/* Two matrices of the dtype of the product: most often. */
static bool is_single(const lar_io *io, lar_dtype t) {
  return io->in[0]->ndim == 2 && io->in[1]->ndim == 2 && io->in[0]->dtype == t &&
         io->in[1]->dtype == t;
}

/* The k-th product of a batch; with the slope of relu after it, one more input. */
static lar_status multiply(const lar_io *io, const lar_tensor *c, const lar_tensor *a,
                           const lar_tensor *b, int64_t k) {
  lar_after after = {.sign_apart = c->shape[1]};
  if (io->nin > 2)
    after.sign = (const char *)lar_tensor_data(io->in[2]) +
                 k * lar_tensor_numel(c) * (int64_t)lar_dtype_size(c->dtype);
  return lar_gemm_then(c, a, b, &after);
}

static lar_status single(lar_io *io, lar_dtype t) {
  lar_tensor *c = &io->out[0];
  LAR_TRY(lar_tensor_init(c, t, 2, (int64_t[]){io->in[0]->shape[0], io->in[1]->shape[1]}));
  io->nout = 1;
  return multiply(io, c, io->in[0], io->in[1], 0);
}

/* Both at least 2-D here: vectors are shaped by compose. */
static lar_status forward(lar_io *io) {
  lar_tensor a, b, *c = &io->out[0];
  int64_t shape[LAR_MAX_NDIM];
  int nb;
  lar_dtype t = LAR_F32;
  lar_status st = LAR_OK;
  LAR_TRY(check(io->in[0], io->in[1], &t));
  if (is_single(io, t)) return single(io, t);
  a.storage = b.storage = NULL;
  LAR_TRY(batches(io->in[0], io->in[1], &nb, shape));
  shape[nb] = io->in[0]->shape[io->in[0]->ndim - 2];
  shape[nb + 1] = io->in[1]->shape[io->in[1]->ndim - 1];
  io->nout = 1;
  LAR_GO(lar_tensor_init(c, t, nb + 2, shape));
  if (io->in[0]->dtype == t)
    lar_tensor_ref(&a, io->in[0]);
  else
    LAR_GO(lar_clone(&a, io->in[0], t));
  if (io->in[1]->dtype == t)
    lar_tensor_ref(&b, io->in[1]);
  else
    LAR_GO(lar_clone(&b, io->in[1], t));
  int64_t n = lar_shape_numel(nb, shape);
  for (int64_t k = 0; k < n && st == LAR_OK; k++) {
    lar_tensor pa = plane(&a, nb, shape, k), pb = plane(&b, nb, shape, k),
               pc = plane(c, nb, shape, k);
    st = multiply(io, &pc, &pa, &pb, k);
  }
done:
  lar_tensor_clear(&a);
  lar_tensor_clear(&b);
  return st;
}

static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  if (v->need[0]) v->gx[0] = LAR_CALL2(s, matmul2, v->g[0], lar_transpose(s, v->x[1], -1, -2));
  if (v->need[1]) v->gx[1] = LAR_CALL2(s, matmul2, lar_transpose(s, v->x[0], -1, -2), v->g[0]);
}

/* Of the slope of relu: it reads what the product is the derivative by. */
static bool absorb(lar_attr *attr, const lar_op *next, bool more) {
  (void)attr;
  return next == LAR_OP(relu_slope) && more;
}

LAR_ENTRY(op, matmul2) = {
  .name = "matmul",
  .doc = "product of matrices, batched over leading dimensions that broadcast",
  .args = "xx",
  .nin = 2,
  .traits = LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
  .absorb = absorb,
};
