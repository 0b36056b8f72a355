#include "op/convolving.h"

static const lar_param params[] = {
  {"stride", LAR_AT(0), 1, 1, 1e9, "steps between outputs", LAR_INTEGER},
  {"padding", LAR_AT(1), 0, 0, 1e9, "zeros on each side", LAR_INTEGER, LAR_PADDINGS},
  {"dilation", LAR_AT(2), 1, 1, 1e9, "steps between taps", LAR_INTEGER},
  LAR_GROUPS_ROW(LAR_AT(3)),
  {0},
};

/* (n, c, l) as images of one row, (n, c, 1, l). */
static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  double word = a->f[1] < 0 ? a->f[1] : 0;
  lar_conv_options o = {.stride = {1, a->f[0]},
                        .padding = {word, a->f[1]},
                        .dilation = {1, a->f[2]},
                        .groups = a->f[3]};
  if (nin < 2) return lar_scope_fail(s, lar_fail(LAR_EARG, "the weight is missing"));
  if (in[0]->t.ndim != 3 || in[1]->t.ndim != 3)
    return lar_scope_fail(s, lar_fail(LAR_ESHAPE,
                                      "input %s and weight %s; they are (samples, channels, "
                                      "length) and (outputs, channels / groups, taps)",
                                      lar_tensor_text(&in[0]->t), lar_tensor_text(&in[1]->t)));
  lar_var *y = lar_convolve(s, &o, lar_unsqueeze(s, in[0], 3), lar_unsqueeze(s, in[1], 3),
                            nin > 2 ? in[2] : NULL);
  return lar_squeeze(s, y, 3);
}

LAR_ENTRY(op, conv1d) = {
  .name = "conv1d",
  .doc = "conv1d(w, b, {stride, padding, dilation, groups}): sequences (n, c, l) with kernels "
         "(o, c / groups, k), b (o) or nil added",
  .args = "xxx?",
  .params = params,
  .nin = -1,
  .compose = compose,
};
