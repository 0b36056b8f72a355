#include "op/pooling.h"

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  double out[2];
  lar_status st = lar_pool_pair(a, "the size", out);
  return st == LAR_OK ? lar_pool_parts(s, LAR_OP(max_pool), out, in[0]) : lar_scope_fail(s, st);
}

LAR_ENTRY(op, adaptive_max_pool2d) = {
  .name = "adaptive_max_pool2d",
  .doc = "adaptive_max_pool2d(size): the largest of each of rows x columns parts of images "
         "(n, c, h, w) that are as equal as can be",
  .args = "xs",
  .nin = 1,
  .compose = compose,
};
