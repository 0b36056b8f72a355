#include "kern/copy.h"
#include "nn/norm.h"

typedef struct batch_norm {
  double features, eps, momentum, affine;
} batch_norm;

static const lar_param params[] = {
  {"features", offsetof(batch_norm, features), 0, 1, 1e9, "channels", LAR_INTEGER},
  {"eps", offsetof(batch_norm, eps), 1e-5, 0, HUGE_VAL, "added to the variance"},
  {"momentum", offsetof(batch_norm, momentum), 0.1, 0, 1, "share of a batch in the averages"},
  {"affine", offsetof(batch_norm, affine), 1, 0, 1, "with a gain and a bias", LAR_FLAG},
  {0},
};

static lar_status init(lar_module *m) {
  const batch_norm *self = m->self;
  int64_t c = (int64_t)self->features;
  lar_var *mean, *var;
  if (self->affine != 0) LAR_TRY(lar_norm_init(m, 1, &c));
  LAR_TRY(lar_module_add(m, "running_mean", LAR_WEIGHT, true, 1, &c, &mean));
  lar_fill(&mean->t, 0);
  LAR_TRY(lar_module_add(m, "running_var", LAR_WEIGHT, true, 1, &c, &var));
  lar_fill(&var->t, 1);
  return LAR_OK;
}

/* buffer = (1 - momentum) buffer + momentum scale batch */
static void average(lar_scope *s, lar_var *buffer, lar_var *batch, double momentum,
                    double scale) {
  bool former = lar_grad_mode(false);
  lar_var *flat = batch == NULL ? NULL : lar_reshape(s, batch, 1, buffer->t.shape);
  lar_var *next = lar_add(s, lar_affine(s, buffer, 1 - momentum, 0),
                          lar_affine(s, flat, momentum * scale, 0));
  lar_grad_mode(former);
  if (next == NULL) return;
  lar_status st = lar_var_assign(buffer, &next->t);
  if (st != LAR_OK) (void)lar_scope_fail(s, st);
}

static lar_var *train(lar_module *m, lar_scope *s, lar_var *x, int64_t count) {
  const batch_norm *self = m->self;
  const int64_t *shape = x->t.shape;
  int64_t block[] = {shape[0], shape[1], lar_shape_numel(x->t.ndim - 2, shape + 2)};
  lar_var *mean = NULL, *var = NULL;
  lar_var *y = lar_norm_apply(m, s, x, block, 1, self->eps, &mean, &var);
  double unbiased = (double)count / (double)(count - 1);
  average(s, lar_module_slot(m, "running_mean"), mean, self->momentum, 1);
  average(s, lar_module_slot(m, "running_var"), var, self->momentum, unbiased);
  return y;
}

/* The averages are copied: training may move them before the derivative is taken. */
static lar_var *evaluate(lar_module *m, lar_scope *s, lar_var *x) {
  const batch_norm *self = m->self;
  int64_t shape[LAR_MAX_NDIM];
  int n = x->t.ndim;
  for (int d = 0; d < n; d++) shape[d] = d == 1 ? x->t.shape[1] : 1;
  lar_var *mean = LAR_CALL1(s, clone, lar_module_slot(m, "running_mean"));
  lar_var *var = lar_affine(s, lar_module_slot(m, "running_var"), 1, self->eps);
  lar_var *scale = LAR_CALL1(s, rsqrt, var);
  lar_var *off = lar_sub(s, x, lar_reshape(s, mean, n, shape));
  lar_var *w = lar_module_slot(m, "weight"), *b = lar_module_slot(m, "bias");
  if (w == NULL) return lar_mul(s, off, lar_reshape(s, scale, n, shape));
  return LAR_CALL3(s, addcmul, lar_reshape(s, b, n, shape), off,
                   lar_reshape(s, lar_mul(s, w, scale), n, shape));
}

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  const batch_norm *self = m->self;
  const lar_tensor *t = &x->t;
  if (t->ndim < 2 || t->shape[1] != (int64_t)self->features)
    return lar_layer_fail(s, LAR_ESHAPE,
                          "input %s does not have %.0f channels in its dimension 2",
                          lar_tensor_text(t), self->features);
  int64_t count = lar_tensor_numel(t) / t->shape[1];
  if (m->training && count < 2)
    return lar_layer_fail(s, LAR_ESHAPE,
                          "input %s has one value a channel, which has no variance; training "
                          "takes at least 2",
                          lar_tensor_text(t));
  return m->training ? train(m, s, x, count) : evaluate(m, s, x);
}

LAR_ENTRY(layer, batch_norm) = {
  .name = "batch_norm",
  .doc =
    "each channel (dimension 2) to mean 0 and variance 1 over the batch, then a gain and a "
    "bias; in evaluation by running averages",
  .source = "Ioffe & Szegedy 2015, ICML",
  .args = "features",
  .params = params,
  .size = sizeof(batch_norm),
  .init = init,
  .forward = forward,
};
