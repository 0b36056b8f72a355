#include "nn/convolving.h"
#include "op/pooling.h"

typedef struct pool {
  lar_pool_options o;
} pool;

static const lar_param params[] = {
  LAR_KERNEL_ROWS(offsetof(pool, o.kernel[0]), offsetof(pool, o.kernel[1])),
  LAR_POOL_STRIDE_ROWS(offsetof(pool, o.stride[0]), offsetof(pool, o.stride[1])),
  LAR_PADDING_ROWS(offsetof(pool, o.padding[0]), offsetof(pool, o.padding[1]), NULL),
  LAR_DILATION_ROWS(offsetof(pool, o.dilation[0]), offsetof(pool, o.dilation[1])),
  {0},
};

static lar_pool_options options(const pool *self) {
  lar_pool_options o = self->o;
  if (o.kernel[1] == 0) o.kernel[1] = -1;
  return o;
}

static lar_status measure(const void *ctx, const int64_t from[2], int64_t to[2]) {
  lar_pool v = {.size = {from[0], from[1]}};
  lar_pool_options o = options(ctx);
  LAR_TRY(lar_pool_measure(&v, &o));
  to[0] = v.out[0], to[1] = v.out[1];
  return LAR_OK;
}

/* Are the options at odds? */
static lar_status init(lar_module *m) {
  int64_t large[2] = {INT32_MAX, INT32_MAX}, to[2];
  return measure(m->self, large, to);
}

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  const pool *self = m->self;
  lar_pool_options o = options(self);
  return lar_pool_windows(s, LAR_OP(max_pool), &o, false, x);
}

static lar_status shape(const lar_module *m, int *ndim, int64_t *sizes) {
  LAR_TRY(lar_images_shape(m, 4, ndim, sizes));
  return lar_measure_shape(measure, m->self, sizes + 2);
}

LAR_ENTRY(layer, max_pool2d) = {
  .name = "max_pool2d",
  .doc = "the largest of each window of images; the stride is the kernel unless given",
  .args = "kernel*",
  .params = params,
  .size = sizeof(pool),
  .init = init,
  .forward = forward,
  .shape = shape,
};
