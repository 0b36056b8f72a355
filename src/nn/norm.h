/*
 * nn/norm - what the normalisations share: mean 0 and variance 1 over some dimensions, then a
 * gain and a bias.
 */
#ifndef LAR_NN_NORM_H
#define LAR_NN_NORM_H

#include "nn/nn.h"

/* (x - mean) / sqrt(var + eps) for the groups of x seen as a block (outer, groups, inner), then
 * m's gain and bias where it has them, of `per` channels a group; mean and var (the biased one)
 * as (1, groups, 1), where wanted. */
lar_var *lar_norm_apply(lar_module *m, lar_scope *s, lar_var *x, const int64_t block[3],
                        int64_t per, double eps, lar_var **mean, lar_var **var);

/* "weight" (ones, a gain) and "bias" (zeros) of that shape. */
lar_status lar_norm_init(lar_module *m, int ndim, const int64_t *shape);

#endif
