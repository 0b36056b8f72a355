#include "op/standardise.h"

static const lar_param params[] = {
  {"eps", LAR_AT(0), 1e-5, 0, HUGE_VAL, "added to the variance"}, {0}};

static lar_status forward(lar_io *io) {
  const lar_tensor *in = io->in[0];
  lar_tensor x = {0};
  if (in->ndim != 3)
    return lar_fail(LAR_ESHAPE, "%s; a block (outer, groups, inner) is needed",
                    lar_tensor_text(in));
  lar_dtype t = lar_float_dtype(in->dtype);
  int64_t groups[3] = {1, in->shape[1], 1};
  LAR_TRY(lar_contiguous(&x, in, t));
  io->nout = 3;
  lar_status st = lar_tensor_init(&io->out[0], t, 3, in->shape);
  if (st == LAR_OK) st = lar_tensor_init(&io->out[1], t, 3, groups);
  if (st == LAR_OK) st = lar_tensor_init(&io->out[2], t, 3, groups);
  if (st == LAR_OK) {
    lar_standard j = lar_standard_of(&x, io->attr->f[0]);
    j.x = lar_tensor_data(&x);
    j.y = lar_tensor_data(&io->out[0]);
    j.mean = lar_tensor_data(&io->out[1]);
    j.var = lar_tensor_data(&io->out[2]);
    st = lar_standardise(t, &j);
  }
  lar_tensor_clear(&x);
  return st;
}

lar_var *lar_group_mean(lar_scope *s, lar_var *a) {
  return lar_mean_dim(s, lar_mean_dim(s, a, 3, true), 1, true);
}

/* Of y: its slope; of the mean: g / n; of the variance: 2 g (x - mean) / n. */
lar_var *lar_standard_back(lar_scope *s, double eps, lar_var *x, lar_var *const *y,
                           lar_var *const *g) {
  lar_var *sum = NULL;
  double n = (double)(x->t.shape[0] * x->t.shape[2]);
  if (g[0] != NULL) {
    lar_attr a = lar_attr_default(LAR_OP(standardise_slope));
    a.f[0] = eps;
    lar_var *in[] = {g[0], y[0], y[2]};
    sum = lar_apply(s, LAR_OP(standardise_slope), &a, 3, in);
  }
  if (g[1] != NULL) {
    lar_var *part = lar_expand(s, lar_affine(s, g[1], 1 / n, 0), 3, x->t.shape);
    sum = sum == NULL ? part : lar_add(s, sum, part);
  }
  if (g[2] != NULL) {
    lar_var *part = lar_mul(s, lar_sub(s, x, y[1]), lar_affine(s, g[2], 2 / n, 0));
    sum = sum == NULL ? part : lar_add(s, sum, part);
  }
  return sum;
}

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_standard_back(v->s, v->attr->f[0], v->x[0], v->y, v->g);
}

LAR_ENTRY(op, standardise) = {
  .name = "standardise",
  .doc = "groups (dimension 2 of a block of 3) to mean 0 and variance 1; and both of these",
  .args = "x",
  .params = params,
  .nin = 1,
  .nout = 3,
  .traits = LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
};
