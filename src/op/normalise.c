#include "op/standardise.h"

static const lar_param params[] = {
  {"eps", LAR_AT(0), 1e-5, 0, HUGE_VAL, "added to the variance"}, {0}};

/* Groups that go through several rows have one channel each. */
static lar_status check(const lar_io *io) {
  const int64_t *i = io->attr->i;
  int64_t count = lar_tensor_numel(io->in[1]);
  if (i[0] * i[1] * i[2] == lar_tensor_numel(io->in[0]) && i[3] > 0 && i[2] % i[3] == 0 &&
      count > 0 && count == lar_tensor_numel(io->in[2]) && count % i[3] == 0 &&
      i[1] * i[3] % count == 0 && (i[0] == 1 || (i[3] == 1 && count == i[1])))
    return LAR_OK;
  return lar_fail(LAR_ESHAPE, "input %s, gain %s and bias %s do not fit",
                  lar_tensor_text(io->in[0]), lar_tensor_text(io->in[1]),
                  lar_tensor_text(io->in[2]));
}

static lar_status run(lar_io *io, lar_tensor *in, lar_dtype t) {
  int64_t groups[3] = {1, io->attr->i[1], 1};
  for (int k = 0; k < 3; k++) LAR_TRY(lar_contiguous(&in[k], io->in[k], t));
  io->nout = 3;
  LAR_TRY(lar_tensor_init(&io->out[0], t, in[0].ndim, in[0].shape));
  LAR_TRY(lar_tensor_init(&io->out[1], t, 3, groups));
  LAR_TRY(lar_tensor_init(&io->out[2], t, 3, groups));
  lar_standard j = lar_standard_gained(io->attr, &in[1]);
  j.x = lar_tensor_data(&in[0]);
  j.bias = lar_tensor_data(&in[2]);
  j.y = lar_tensor_data(&io->out[0]);
  j.mean = lar_tensor_data(&io->out[1]);
  j.var = lar_tensor_data(&io->out[2]);
  return lar_standardise(t, &j);
}

static lar_status forward(lar_io *io) {
  lar_tensor in[3] = {0};
  LAR_TRY(check(io));
  lar_status st =
    run(io, in, lar_float_dtype(lar_dtype_promote(io->in[0]->dtype, io->in[1]->dtype)));
  for (int k = 0; k < 3; k++) lar_tensor_clear(&in[k]);
  return st;
}

/* In ops that have derivatives themselves, from x standardised once more. */
static void formula(lar_vjp *v) {
  lar_scope *s = v->s;
  const int64_t *i = v->attr->i;
  lar_var *x = lar_reshape(s, v->x[0], 3, i), *w = v->x[1], *y[LAR_MAX_OUT] = {NULL};
  lar_var *g[] = {NULL, v->g[1], v->g[2]};
  int64_t count = lar_tensor_numel(&w->t), gain[] = {1, count, 1};
  int64_t by_channel[] = {i[0] * i[1] * i[3] / count, count, i[2] / i[3]};
  int n = 0;
  if (s->status != LAR_OK) return;
  lar_status st = lar_op_apply(LAR_OP(standardise), v->attr, 1, &x, &n, y);
  if (st != LAR_OK) {
    (void)lar_scope_fail(s, st);
    return;
  }
  for (int k = 0; k < n; k++) (void)lar_scope_own(s, y[k]);
  if (v->g[0] != NULL) {
    lar_var *back = lar_reshape(s, v->g[0], 3, by_channel);
    lar_var *dot = lar_mul(s, back, lar_reshape(s, y[0], 3, by_channel));
    lar_tensor like = {.dtype = w->t.dtype, .ndim = 3, .shape = {1, count, 1}};
    v->gx[1] = lar_reshape(s, lar_sum_to(s, dot, &like), w->t.ndim, w->t.shape);
    v->gx[2] = lar_reshape(s, lar_sum_to(s, back, &like), v->x[2]->t.ndim, v->x[2]->t.shape);
    g[0] = lar_reshape(s, lar_mul(s, back, lar_reshape(s, w, 3, gain)), 3, i);
  }
  v->gx[0] = lar_reshape(s, lar_standard_back(s, v->attr->f[0], x, y, g), v->x[0]->t.ndim,
                         v->x[0]->t.shape);
}

/* One op gives all three, where nobody differentiates them again. */
static void vjp(lar_vjp *v) {
  lar_var *in[] = {v->g[0], v->x[0], v->x[1], v->y[1], v->y[2]}, *out[LAR_MAX_OUT];
  int n = 0;
  if (v->g[0] == NULL || v->g[1] != NULL || v->g[2] != NULL || lar_grad_enabled()) {
    formula(v);
    return;
  }
  lar_status st = lar_op_apply(LAR_OP(normalise_slope), v->attr, 5, in, &n, out);
  if (st != LAR_OK) (void)lar_scope_fail(v->s, st);
  for (int k = 0; k < n; k++) v->gx[k] = lar_scope_own(v->s, out[k]);
}

LAR_ENTRY(op, normalise) = {
  .name = "normalise",
  .doc = "groups to mean 0 and variance 1, then a gain and a bias for each channel; and both",
  .args = "xxxiiii",
  .params = params,
  .nin = 3,
  .nout = 3,
  .traits = LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
};
