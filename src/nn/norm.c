#include "nn/norm.h"

#include "kern/copy.h"

static lar_var *mean_over(lar_scope *s, lar_var *x, int n, const int64_t *dims) {
  lar_attr attr = lar_attr_default(LAR_OP(mean));
  attr.n = n;
  for (int k = 0; k < n; k++) attr.i[k] = dims[k];
  attr.f[0] = 1; /* keepdim */
  return lar_apply(s, LAR_OP(mean), &attr, 1, &x);
}

lar_var *lar_norm_apply(lar_scope *s, lar_var *x, int n, const int64_t *dims, double eps,
                        lar_var **mean, lar_var **var) {
  lar_var *centre = mean_over(s, x, n, dims);
  lar_var *off = lar_sub(s, x, centre);
  lar_var *spread = mean_over(s, LAR_CALL1(s, square, off), n, dims);
  if (mean != NULL) *mean = centre;
  if (var != NULL) *var = spread;
  return lar_mul(s, off, LAR_CALL1(s, rsqrt, lar_affine(s, spread, 1, eps)));
}

lar_status lar_norm_init(lar_module *m, int ndim, const int64_t *shape) {
  lar_var *w, *b;
  LAR_TRY(lar_module_add(m, "weight", LAR_GAIN, false, ndim, shape, &w));
  lar_fill(&w->t, 1);
  LAR_TRY(lar_module_add(m, "bias", LAR_BIAS, false, ndim, shape, &b));
  lar_fill(&b->t, 0);
  return LAR_OK;
}

lar_var *lar_norm_affine(lar_module *m, lar_scope *s, lar_var *x, int ndim,
                         const int64_t *shape) {
  lar_var *w = lar_module_slot(m, "weight"), *b = lar_module_slot(m, "bias");
  if (w == NULL) return x;
  if (w->t.ndim != ndim) {
    w = lar_reshape(s, w, ndim, shape);
    b = lar_reshape(s, b, ndim, shape);
  }
  return lar_add(s, lar_mul(s, x, w), b);
}

void lar_norm_channels(const lar_tensor *x, int64_t *shape) {
  for (int d = 0; d < x->ndim; d++) shape[d] = d == 1 ? x->shape[1] : 1;
}
