#include "nn/noise.h"

lar_var *lar_noise_drop(lar_scope *s, lar_var *x, double p, int lead) {
  int64_t shape[LAR_MAX_NDIM];
  if (x == NULL || p == 0) return x;
  for (int d = 0; d < x->t.ndim; d++) shape[d] = d < lead ? x->t.shape[d] : 1;
  lar_var *mask = lar_bernoulli(s, x->t.dtype, x->t.ndim, shape, 1 - p, LAR_NOISE_STREAM);
  return lar_mul(s, x, lar_affine(s, mask, p < 1 ? 1 / (1 - p) : 1, 0));
}
