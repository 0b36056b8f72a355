#include "nn/convolving.h"
#include "op/pooling.h"

typedef struct pool {
  double size[2];
} pool;

static const lar_param params[] = {
  {"size", offsetof(pool, size[0]), 0, 1, 1e9,
   "rows and columns of the output; a number or a list", LAR_INTEGER},
  {"size2", offsetof(pool, size[1]), 0, 0, 1e9, "the second of them", LAR_INTEGER},
  {0},
};

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  const pool *self = m->self;
  double out[2];
  for (int d = 0; d < 2; d++) out[d] = (double)lar_kernel_size(self->size, d);
  return lar_pool_parts(s, LAR_OP(mean_pool), out, x);
}

static lar_status shape(const lar_module *m, int *ndim, int64_t *sizes) {
  const pool *self = m->self;
  LAR_TRY(lar_images_shape(m, 4, ndim, sizes));
  for (int d = 0; d < 2; d++) sizes[2 + d] = lar_kernel_size(self->size, d);
  return LAR_OK;
}

LAR_ENTRY(layer, adaptive_avg_pool2d) = {
  .name = "adaptive_avg_pool2d",
  .doc = "the mean of each of rows x columns parts of images that are as equal as can be",
  .args = "size*",
  .params = params,
  .size = sizeof(pool),
  .forward = forward,
  .shape = shape,
};
