#include "op/diagonal.h"
#include "op/calc.h"

lar_status lar_diagonal_view(lar_tensor *out, const lar_tensor *x, int64_t k) {
  int r = x->ndim - 2, c = x->ndim - 1;
  if (r < 0) return lar_fail(LAR_ESHAPE, "%s is not a matrix", lar_tensor_text(x));
  lar_tensor y = *x;
  int64_t rows = x->shape[r] + (k < 0 ? k : 0), cols = x->shape[c] - (k > 0 ? k : 0);
  int64_t n = rows < cols ? rows : cols;
  y.ndim--;
  y.shape[r] = n > 0 ? n : 0;
  y.stride[r] = x->stride[r] + x->stride[c];
  if (n > 0) y.offset += k > 0 ? k * x->stride[c] : -k * x->stride[r];
  lar_tensor_ref(out, &y);
  return LAR_OK;
}

static lar_status forward(lar_io *io) {
  int64_t k = lar_attr_int(io->attr, 0);
  io->nout = 1;
  return lar_diagonal_view(&io->out[0], io->in[0], k == LAR_NONE ? 0 : k);
}

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_apply(v->s, LAR_OP(undiagonal), v->attr, 2, (lar_var *[]){v->g[0], v->x[0]});
}

LAR_ENTRY(op, diagonal) = {
  .name = "diagonal",
  .doc = "the k-th diagonal (0 the main one) of the last two dimensions; a view",
  .args = "xi?",
  .nin = 1,
  .traits = LAR_OP_LINEAR | LAR_OP_VIEW,
  .forward = forward,
  .vjp = vjp,
};
