#include "op/convolving.h"

static const lar_param params[] = {
  LAR_STRIDE_ROWS(LAR_AT(0), LAR_AT(1)),
  LAR_PADDING_ROWS(LAR_AT(2), LAR_AT(3), NULL),
  LAR_EXTRA_ROWS(LAR_AT(4), LAR_AT(5)),
  LAR_DILATION_ROWS(LAR_AT(6), LAR_AT(7)),
  LAR_GROUPS_ROW(LAR_AT(8)),
  {0},
};

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  lar_conv_options o = {.stride = {a->f[0], a->f[1]},
                        .padding = {a->f[2], a->f[3]},
                        .extra = {a->f[4], a->f[5]},
                        .dilation = {a->f[6], a->f[7]},
                        .groups = a->f[8]};
  if (nin < 2) return lar_scope_fail(s, lar_fail(LAR_EARG, "the weight is missing"));
  return lar_convolve_back(s, &o, in[0], in[1], nin > 2 ? in[2] : NULL);
}

LAR_ENTRY(op, conv_transpose2d) = {
  .name = "conv_transpose2d",
  .doc = "conv_transpose2d(w, b, {stride, padding, output_padding, dilation, groups}): the "
         "adjoint of conv2d, images (n, c, h, w) with kernels (c, o / groups, kh, kw)",
  .args = "xxx?",
  .params = params,
  .nin = -1,
  .compose = compose,
};
