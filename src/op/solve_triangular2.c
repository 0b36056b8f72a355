#include "op/solving.h"

static const lar_param params[] = {
  {"upper", LAR_AT(0), 0, 0, 1, "a is upper triangular", LAR_FLAG, NULL},
  {0},
};

static lar_status forward(lar_io *io) {
  return lar_solving_forward(io, io->attr->f[0] != 0 ? 2 : 1);
}

static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  bool upper = v->attr->f[0] != 0;
  lar_attr other;
  lar_attr_copy(&other, v->attr);
  other.f[0] = !upper;
  lar_var *in[] = {lar_adjoint(s, v->x[0]), v->g[0]};
  lar_var *gb = in[0] == NULL ? NULL : lar_apply(s, LAR_OP(solve_triangular2), &other, 2, in);
  v->gx[1] = gb;
  if (!v->need[0]) return;
  lar_var *ga = lar_neg(s, lar_matmul(s, gb, lar_adjoint(s, v->y[0])));
  v->gx[0] = upper ? LAR_CALL1(s, triu, ga) : LAR_CALL1(s, tril, ga);
}

LAR_ENTRY(op, solve_triangular2) = {
  .name = "solve_triangular",
  .doc = "a^-1 b for triangular matrices of one batch",
  .args = "xx",
  .params = params,
  .nin = 2,
  .traits = LAR_OP_HIDDEN,
  .forward = forward,
  .vjp = vjp,
};
