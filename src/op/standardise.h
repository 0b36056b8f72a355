/*
 * op/standardise - what standardise, normalise and their slopes share.
 */
#ifndef LAR_OP_STANDARDISE_H
#define LAR_OP_STANDARDISE_H

#include "kern/copy.h"
#include "kern/standardise.h"
#include "op/along.h"
#include "op/calc.h"

static inline lar_standard lar_standard_of(const lar_tensor *x, double eps) {
  return (lar_standard){x->shape[0], x->shape[1], x->shape[2], .per = 1, .eps = eps};
}

/* Mean over a group of a (outer, c, inner), as (1, c, 1). */
lar_var *lar_group_mean(lar_scope *s, lar_var *a);

/* What flows back to x, a block, from y, mean and variance; NULL where nothing does. */
lar_var *lar_standard_back(lar_scope *s, double eps, lar_var *x, lar_var *const *y,
                           lar_var *const *g);

/* The same job where attr.i is {outer, groups, inner, channels in a group}, with this gain. */
static inline lar_standard lar_standard_gained(const lar_attr *a, const lar_tensor *gain) {
  return (lar_standard){.outer = a->i[0],
                        .c = a->i[1],
                        .inner = a->i[2],
                        .per = a->i[3],
                        .count = lar_tensor_numel(gain),
                        .gain = lar_tensor_data(gain),
                        .eps = a->f[0]};
}

#endif
