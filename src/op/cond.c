#include "op/matrices.h"

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  lar_var *d = LAR_CALL1(s, singular_values, in[0]);
  lar_var *top = lar_narrow(s, d, -1, 1, 1), *least = lar_narrow(s, d, -1, -1, 1);
  return lar_squeeze(s, lar_div(s, top, least), -1);
}

LAR_ENTRY(op, cond) = {
  .name = "cond",
  .doc = "condition number: the largest singular value over the smallest",
  .args = "x",
  .nin = 1,
  .compose = compose,
};
