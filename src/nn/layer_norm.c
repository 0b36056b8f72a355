#include "nn/norm.h"

enum { SIZES = 4 };

typedef struct layer_norm {
  double size[SIZES], eps, affine;
} layer_norm;

static const lar_param params[] = {
  {"size", offsetof(layer_norm, size), 0, 1, 1e9, "size, or sizes, of the last dimensions",
   LAR_INTEGER},
  {"size2", offsetof(layer_norm, size[1]), 0, 0, 1e9, "the second of them", LAR_INTEGER},
  {"size3", offsetof(layer_norm, size[2]), 0, 0, 1e9, "the third", LAR_INTEGER},
  {"size4", offsetof(layer_norm, size[3]), 0, 0, 1e9, "the fourth", LAR_INTEGER},
  {"eps", offsetof(layer_norm, eps), 1e-5, 0, HUGE_VAL, "added to the variance"},
  {"affine", offsetof(layer_norm, affine), 1, 0, 1, "with a gain and a bias", LAR_FLAG},
  {0},
};

static int sizes(const layer_norm *self, int64_t *shape) {
  int n = 0;
  for (; n < SIZES && self->size[n] > 0; n++) shape[n] = (int64_t)self->size[n];
  return n;
}

static lar_status init(lar_module *m) {
  const layer_norm *self = m->self;
  int64_t shape[SIZES];
  int n = sizes(self, shape);
  return self->affine == 0 ? LAR_OK : lar_norm_init(m, n, shape);
}

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  const layer_norm *self = m->self;
  int64_t shape[SIZES];
  int n = sizes(self, shape), lead = x->t.ndim - n;
  bool fits = lead >= 0;
  for (int d = 0; fits && d < n; d++) fits = x->t.shape[lead + d] == shape[d];
  if (!fits)
    return lar_layer_fail(s, LAR_ESHAPE, "input %s does not end in %s", lar_tensor_text(&x->t),
                          lar_shape_text(n, shape));
  int64_t width = lar_shape_numel(n, shape), rows = lar_shape_numel(lead, x->t.shape);
  return lar_norm_apply(m, s, x, (int64_t[]){1, rows, width}, width, self->eps, NULL, NULL);
}

LAR_ENTRY(layer, layer_norm) = {
  .name = "layer_norm",
  .doc =
    "each sample to mean 0 and variance 1 over its last dimensions, then a gain and a bias",
  .source = "Ba, Kiros & Hinton 2016, arXiv:1607.06450",
  .args = "size*",
  .params = params,
  .size = sizeof(layer_norm),
  .init = init,
  .forward = forward,
};
