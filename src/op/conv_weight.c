#include "op/convolving.h"

static lar_status forward(lar_io *io) {
  lar_conv v;
  const lar_tensor *x = io->in[0], *g = io->in[1];
  lar_conv_geometry(&v, io->attr);
  v.n = x->shape[0];
  v.c = x->shape[1] / v.groups;
  v.o = g->shape[1] / v.groups;
  int64_t shape[] = {v.groups * v.o, v.c, v.kernel[0], v.kernel[1]};
  return lar_conv_apply(io, &v, shape, lar_conv_weight);
}

/* Of the form that is linear in x, w and g. */
static void vjp(lar_vjp *v) {
  lar_var *w = v->g[0];
  if (v->need[0])
    v->gx[0] = lar_apply(v->s, LAR_OP(conv_input), v->attr, 2, (lar_var *[]){v->x[1], w});
  if (v->need[1])
    v->gx[1] = lar_apply(v->s, LAR_OP(conv), v->attr, 2, (lar_var *[]){v->x[0], w});
}

LAR_ENTRY(op, conv_weight) = {
  .name = "conv_weight",
  .doc = "correlation of images a with gradients b of outputs: conv's derivative by kernels",
  .args = "xx",
  .nin = 2,
  .traits = LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
};
