#include "nn/noise.h"

lar_var *lar_noise_drop(lar_scope *s, lar_var *x, double p, int lead) {
  int64_t shape[LAR_MAX_NDIM];
  if (x == NULL || p == 0) return x;
  for (int d = 0; d < x->t.ndim; d++) shape[d] = d < lead ? x->t.shape[d] : 1;
  double kept = p < 1 ? 1 / (1 - p) : 1;
  return lar_mul(s, x,
                 lar_bernoulli(s, x->t.dtype, x->t.ndim, shape, 1 - p, kept, LAR_NOISE_STREAM));
}
