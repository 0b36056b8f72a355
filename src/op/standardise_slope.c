#include "op/standardise.h"

static const lar_param params[] = {
  {"eps", LAR_AT(0), 1e-5, 0, HUGE_VAL, "added to the variance"}, {0}};

static lar_status run(lar_io *io, lar_tensor *in) {
  for (int k = 0; k < 3; k++) LAR_TRY(lar_contiguous(&in[k], io->in[k], io->in[1]->dtype));
  io->nout = 1;
  LAR_TRY(lar_tensor_init(&io->out[0], in[1].dtype, 3, in[1].shape));
  lar_standard j = lar_standard_of(&in[1], io->attr->f[0]);
  j.g = lar_tensor_data(&in[0]);
  j.x = lar_tensor_data(&in[1]);
  j.var = lar_tensor_data(&in[2]);
  j.gx = lar_tensor_data(&io->out[0]);
  return lar_standardise(in[1].dtype, &j);
}

static lar_status forward(lar_io *io) {
  const lar_tensor *g = io->in[0], *y = io->in[1], *var = io->in[2];
  lar_tensor in[3] = {0};
  if (y->ndim != 3 || !lar_tensor_same_shape(g, y) || var->ndim != 3 ||
      lar_tensor_numel(var) != y->shape[1] || !lar_dtype_is_float(y->dtype))
    return lar_fail(LAR_ESHAPE,
                    "%s, %s and %s; two blocks and a variance (1, groups, 1) are "
                    "needed",
                    lar_tensor_text(g), lar_tensor_text(y), lar_tensor_text(var));
  lar_status st = run(io, in);
  for (int k = 0; k < 3; k++) lar_tensor_clear(&in[k]);
  return st;
}

/* The slope S(g) = r (g - mean(g) - y mean(g y)), r = (var + eps)^-1/2, is its own transpose in
 * g; with u what flows back, y gets -r (u mean(g y) + g mean(u y)) and the variance
 * -1/2 r^2 sum u S(g). */
static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *u = v->g[0], *g = v->x[0], *y = v->x[1], *var = v->x[2];
  double n = (double)(y->t.shape[0] * y->t.shape[2]);
  lar_var *room = lar_affine(s, var, 1, v->attr->f[0]);
  if (v->need[0]) {
    lar_var *in[] = {u, y, var};
    v->gx[0] = lar_apply(s, LAR_OP(standardise_slope), v->attr, 3, in);
  }
  if (v->need[1]) {
    lar_var *a = lar_mul(s, u, lar_group_mean(s, lar_mul(s, g, y)));
    lar_var *b = lar_mul(s, g, lar_group_mean(s, lar_mul(s, u, y)));
    v->gx[1] = lar_neg(s, lar_mul(s, lar_add(s, a, b), LAR_CALL1(s, rsqrt, room)));
  }
  if (v->need[2]) {
    lar_var *mean = lar_group_mean(s, lar_mul(s, u, v->y[0]));
    v->gx[2] = lar_affine(s, lar_div(s, mean, room), -n / 2, 0);
  }
}

LAR_ENTRY(op, standardise_slope) = {
  .name = "standardise_slope",
  .doc = "(g - mean(g) - y mean(g y)) / sqrt(var + eps): the derivative of standardise",
  .args = "xxx",
  .params = params,
  .nin = 3,
  .traits = LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
};
