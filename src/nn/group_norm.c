#include "nn/norm.h"

typedef struct group_norm {
  double groups, channels, eps, affine;
} group_norm;

static const lar_param params[] = {
  {"groups", offsetof(group_norm, groups), 0, 1, 1e9, "groups of channels", LAR_INTEGER},
  {"channels", offsetof(group_norm, channels), 0, 1, 1e9, "channels", LAR_INTEGER},
  {"eps", offsetof(group_norm, eps), 1e-5, 0, HUGE_VAL, "added to the variance"},
  {"affine", offsetof(group_norm, affine), 1, 0, 1, "with a gain and a bias", LAR_FLAG},
  {0},
};

static lar_status init(lar_module *m) {
  const group_norm *self = m->self;
  int64_t c = (int64_t)self->channels;
  if (fmod(self->channels, self->groups) != 0)
    return lar_fail(LAR_EARG, "%g channels do not divide into %g groups", self->channels,
                    self->groups);
  return self->affine == 0 ? LAR_OK : lar_norm_init(m, 1, &c);
}

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  const group_norm *self = m->self;
  const lar_tensor *t = &x->t;
  int64_t g = (int64_t)self->groups;
  if (t->ndim < 2 || t->shape[1] != (int64_t)self->channels)
    return lar_layer_fail(s, LAR_ESHAPE,
                          "input %s does not have %.0f channels in its dimension 2",
                          lar_tensor_text(t), self->channels);
  int64_t width = lar_shape_numel(t->ndim - 1, t->shape + 1) / g;
  int64_t block[] = {1, t->shape[0] * g, width};
  return lar_norm_apply(m, s, x, block, t->shape[1] / g, self->eps, NULL, NULL);
}

LAR_ENTRY(layer, group_norm) = {
  .name = "group_norm",
  .doc = "each group of a sample's channels to mean 0 and variance 1, then a gain and a bias",
  .source = "Wu & He 2018, ECCV",
  .args = "groups channels",
  .params = params,
  .size = sizeof(group_norm),
  .init = init,
  .forward = forward,
};
