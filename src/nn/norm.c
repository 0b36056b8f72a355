#include "nn/norm.h"

#include "kern/copy.h"

lar_var *lar_norm_apply(lar_module *m, lar_scope *s, lar_var *x, const int64_t block[3],
                        int64_t per, double eps, lar_var **mean, lar_var **var) {
  lar_var *out[LAR_MAX_OUT] = {NULL}, *w = lar_module_slot(m, "weight");
  lar_var *in[] = {w == NULL ? lar_reshape(s, x, 3, block) : x, w, lar_module_slot(m, "bias")};
  const lar_op *op = w == NULL ? LAR_OP(standardise) : LAR_OP(normalise);
  lar_attr attr = lar_attr_default(op);
  int n = 0;
  attr.f[0] = eps;
  if (w != NULL) {
    attr.n = 4;
    for (int d = 0; d < 3; d++) attr.i[d] = block[d];
    attr.i[3] = per;
  }
  if (s->status != LAR_OK) return NULL;
  lar_status st = lar_op_apply(op, &attr, op->nin, in, &n, out);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  for (int k = 0; k < n; k++) (void)lar_scope_own(s, out[k]);
  if (mean != NULL) *mean = out[1];
  if (var != NULL) *var = out[2];
  return w == NULL ? lar_reshape(s, out[0], x->t.ndim, x->t.shape) : out[0];
}

lar_status lar_norm_init(lar_module *m, int ndim, const int64_t *shape) {
  lar_var *w, *b;
  LAR_TRY(lar_module_add(m, "weight", LAR_GAIN, false, ndim, shape, &w));
  lar_fill(&w->t, 1);
  LAR_TRY(lar_module_add(m, "bias", LAR_BIAS, false, ndim, shape, &b));
  lar_fill(&b->t, 0);
  return LAR_OK;
}
