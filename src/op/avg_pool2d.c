#include "op/pooling.h"

static const lar_param params[] = {
  LAR_POOL_STRIDE_ROWS(LAR_AT(0), LAR_AT(1)),
  LAR_PADDING_ROWS(LAR_AT(2), LAR_AT(3), NULL),
  {"count_include_pad", LAR_AT(4), 1, 0, 1, "zeros of the padding count in the mean", LAR_FLAG},
  LAR_CEIL_ROW(LAR_AT(5)),
  {0},
};

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  lar_pool_options o = {.stride = {a->f[0], a->f[1]},
                        .padding = {a->f[2], a->f[3]},
                        .dilation = {1, 1},
                        .ceil = a->f[5]};
  lar_status st = lar_pool_pair(a, "the kernel", o.kernel);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  return lar_pool_windows(s, LAR_OP(mean_pool), &o, a->f[4] != 0, in[0]);
}

LAR_ENTRY(op, avg_pool2d) = {
  .name = "avg_pool2d",
  .doc = "avg_pool2d(kernel, {stride, padding, count_include_pad, ceil_mode}): the mean of "
         "each window of "
         "images (n, c, h, w); the stride is the kernel unless given",
  .args = "xs",
  .params = params,
  .nin = 1,
  .compose = compose,
};
