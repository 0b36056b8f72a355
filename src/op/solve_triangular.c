#include "op/solving.h"

static const lar_param params[] = {
  {"upper", LAR_AT(0), 0, 0, 1, "a is upper triangular", LAR_FLAG, NULL},
  {0},
};

static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  return lar_solving_compose(s, LAR_OP(solve_triangular2), a, in);
}

LAR_ENTRY(op, solve_triangular) = {
  .name = "solve_triangular",
  .doc = "the X with a X = b for a triangular a (lower unless upper = true), the other half of "
         "which is not read",
  .args = "xx",
  .params = params,
  .nin = 2,
  .compose = compose,
};
