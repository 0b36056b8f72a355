#include "op/solving.h"

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  return lar_solving_compose(s, LAR_OP(solve2), a, in);
}

LAR_ENTRY(op, solve) = {
  .name = "solve",
  .doc = "the X with a X = b, for a square a and a vector or matrix b; batches broadcast",
  .args = "xx",
  .nin = 2,
  .compose = compose,
};
