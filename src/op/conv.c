#include "kern/copy.h"
#include "op/along.h"
#include "op/convolving.h"

static lar_status forward(lar_io *io) {
  lar_conv v;
  lar_tensor x = {0}, w = {0}, b = {0};
  const lar_tensor *in = io->in[0];
  lar_conv_geometry(&v, io->attr);
  v.n = in->shape[0];
  v.c = in->shape[1] / v.groups;
  v.o = io->in[1]->shape[0] / v.groups;
  lar_dtype t = lar_float_dtype(lar_dtype_promote(in->dtype, io->in[1]->dtype));
  int64_t shape[] = {v.n, v.groups * v.o, v.out[0] / (v.pool ? 2 : 1),
                     v.out[1] / (v.pool ? 2 : 1)};
  bool codes = io->attr->i[LAR_WINDOW_POOL] == LAR_POOL_CODES;
  lar_status st = LAR_OK;
  LAR_GO(lar_contiguous(&x, in, t));
  LAR_GO(lar_contiguous(&w, io->in[1], t));
  if (io->nin > 2) LAR_GO(lar_contiguous(&b, io->in[2], t));
  LAR_GO(lar_tensor_init(&io->out[0], t, 4, shape));
  if (codes) LAR_GO(lar_tensor_init(&io->out[1], LAR_BOOL, 4, shape));
  if (codes) v.code = lar_tensor_data(&io->out[1]);
  io->nout = codes ? 2 : 1;
  st = lar_conv_output(&v, t, lar_tensor_data(&io->out[0]), lar_tensor_data(&x),
                       lar_tensor_data(&w), io->nin > 2 ? lar_tensor_data(&b) : NULL);
done:
  lar_tensor_clear(&x);
  lar_tensor_clear(&w);
  lar_tensor_clear(&b);
  return st;
}

/* Over n dimensions from `first` on. */
static lar_var *sum_of(lar_scope *s, lar_var *x, int n, int first) {
  lar_attr attr = lar_attr_default(LAR_OP(sum));
  attr.n = n;
  for (int d = 0; d < n; d++) attr.i[d] = first + d;
  return lar_apply(s, LAR_OP(sum), &attr, 1, &x);
}

/* The bias's is summed plane by plane first: planes lie in a row each. */
static void vjp(lar_vjp *v) {
  lar_var *g = v->g[0];
  if (v->need[0])
    v->gx[0] = lar_apply(v->s, LAR_OP(conv_input), v->attr, 2, (lar_var *[]){g, v->x[1]});
  if (v->need[1])
    v->gx[1] = lar_apply(v->s, LAR_OP(conv_weight), v->attr, 2, (lar_var *[]){v->x[0], g});
  if (v->nin > 2 && v->need[2]) v->gx[2] = sum_of(v->s, sum_of(v->s, g, 2, 3), 1, 1);
}

static bool absorb(lar_attr *attr, const lar_op *next, bool more) {
  if (next != LAR_OP(relu) || more) return false;
  attr->i[LAR_WINDOW_CLIP] = 1;
  return true;
}

LAR_ENTRY(op, conv) = {
  .name = "conv",
  .doc = "convolution of images a (n, c, h, w) with kernels b, plus c for each output",
  .args = "xxx?",
  .nin = -1,
  .traits = LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
  .absorb = absorb,
};
