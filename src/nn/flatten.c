#include "nn/nn.h"

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  if (x->t.ndim == 0) return lar_layer_fail(s, LAR_ESHAPE, "the input is a scalar");
  int64_t rows = x->t.shape[0], width = lar_shape_numel(x->t.ndim - 1, x->t.shape + 1);
  return lar_reshape(s, x, 2, (int64_t[]){rows, width});
}

static lar_status shape(const lar_module *m, int *ndim, int64_t *sizes) {
  if (*ndim < 1) return LAR_OK;
  int64_t width = 1;
  for (int d = 1; d < *ndim && width >= 0; d++)
    width = sizes[d] == LAR_UNKNOWN ? LAR_UNKNOWN : width * sizes[d];
  *ndim = 2;
  sizes[1] = width;
  return LAR_OK;
}

LAR_ENTRY(layer, flatten) = {
  .name = "flatten",
  .doc = "(n, ...) as (n, p): one row a sample",
  .forward = forward,
  .shape = shape,
};
