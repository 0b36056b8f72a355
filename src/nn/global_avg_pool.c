#include "nn/nn.h"

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  if (x->t.ndim < 3)
    return lar_layer_fail(s, LAR_ESHAPE, "input %s is not (samples, channels, places ...)",
                          lar_tensor_text(&x->t));
  return LAR_CALL1(s, global_avg_pool, x);
}

static lar_status shape(const lar_module *m, int *ndim, int64_t *sizes) {
  if (*ndim == LAR_UNKNOWN) sizes[0] = sizes[1] = LAR_UNKNOWN;
  if (*ndim != LAR_UNKNOWN && *ndim < 3)
    return lar_fail(LAR_ESHAPE, "global_avg_pool: takes 3 dimensions or more, not %d", *ndim);
  *ndim = 2;
  return LAR_OK;
}

LAR_ENTRY(layer, global_avg_pool) = {
  .name = "global_avg_pool",
  .doc = "the mean of each channel: (n, c, ...) to (n, c)",
  .forward = forward,
  .shape = shape,
};
