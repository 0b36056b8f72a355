#include "op/convolving.h"

static const lar_param params[] = {
  LAR_STRIDE_ROWS(LAR_AT(0), LAR_AT(1)),
  LAR_PADDING_ROWS(LAR_AT(2), LAR_AT(3), LAR_PADDINGS),
  LAR_DILATION_ROWS(LAR_AT(4), LAR_AT(5)),
  LAR_GROUPS_ROW(LAR_AT(6)),
  {0},
};

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  lar_conv_options o = {.stride = {a->f[0], a->f[1]},
                        .padding = {a->f[2], a->f[3]},
                        .dilation = {a->f[4], a->f[5]},
                        .groups = a->f[6]};
  if (nin < 2) return lar_scope_fail(s, lar_fail(LAR_EARG, "the weight is missing"));
  return lar_convolve(s, &o, in[0], in[1], nin > 2 ? in[2] : NULL);
}

LAR_ENTRY(op, conv2d) = {
  .name = "conv2d",
  .doc = "conv2d(w, b, {stride, padding, dilation, groups}): images (n, c, h, w) with kernels "
         "(o, c / groups, kh, kw), b (o) or nil added",
  .args = "xxx?",
  .params = params,
  .nin = -1,
  .compose = compose,
};
