#include "op/convolving.h"

static lar_status forward(lar_io *io) {
  lar_conv v;
  const lar_tensor *g = io->in[0], *w = io->in[1];
  lar_conv_geometry(&v, io->attr);
  v.n = g->shape[0];
  v.o = g->shape[1] / v.groups;
  v.c = w->shape[1];
  int64_t shape[] = {v.n, v.groups * v.c, v.size[0], v.size[1]};
  if (io->nin > 2) v.sign = lar_tensor_data(io->in[2]);
  return lar_conv_apply(io, &v, shape, lar_conv_input);
}

/* Of the form that is linear in x, w and g. */
static void vjp(lar_vjp *v) {
  lar_var *x = v->g[0];
  if (v->need[0])
    v->gx[0] = lar_apply(v->s, LAR_OP(conv), v->attr, 2, (lar_var *[]){x, v->x[1]});
  if (v->need[1])
    v->gx[1] = lar_apply(v->s, LAR_OP(conv_weight), v->attr, 2, (lar_var *[]){x, v->x[0]});
}

/* Of the slope of relu before the convolution: it reads what the images were made from. */
static bool absorb(lar_attr *attr, const lar_op *next, bool more) {
  (void)attr;
  return next == LAR_OP(relu_slope) && more;
}

LAR_ENTRY(op, conv_input) = {
  .name = "conv_input",
  .doc = "transposed convolution of a (n, o, h, w) with kernels b: conv's derivative by images",
  .args = "xx",
  .nin = 2,
  .traits = LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
  .absorb = absorb,
};
