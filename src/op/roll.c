#include "op/calc.h"

/* With no dimension the elements roll in row-major order. */
static lar_var *compose(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in) {
  lar_var *x = in[0];
  int64_t d = lar_attr_int(a, 1), n;
  int at = 0;
  if (d == LAR_NONE) {
    x = lar_reshape(s, x, 1, (int64_t[]){-1});
    if (x == NULL) return NULL;
  } else {
    lar_status st = lar_dim(d, x->t.ndim, &at);
    if (st != LAR_OK) return lar_scope_fail(s, st);
  }
  n = x->t.shape[at];
  int64_t shift = n > 0 ? (a->i[0] % n + n) % n : 0;
  if (shift == 0) return LAR_CALL1(s, clone, in[0]);
  lar_var *parts[] = {lar_narrow(s, x, at + 1, n - shift + 1, shift),
                      lar_narrow(s, x, at + 1, 1, n - shift)};
  lar_var *y = lar_apply(s, LAR_OP(cat), &(lar_attr){.n = 1, .i = {at + 1}}, 2, parts);
  return d == LAR_NONE ? lar_reshape(s, y, in[0]->t.ndim, in[0]->t.shape) : y;
}

LAR_ENTRY(op, roll) = {
  .name = "roll",
  .doc = "elements moved on by `shift` places along a dimension, the last ones to the front",
  .args = "xii?",
  .nin = 1,
  .compose = compose,
};
