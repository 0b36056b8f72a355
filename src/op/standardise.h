/*
 * op/standardise - what standardise and its slope share.
 */
#ifndef LAR_OP_STANDARDISE_H
#define LAR_OP_STANDARDISE_H

#include "kern/copy.h"
#include "kern/standardise.h"
#include "op/along.h"
#include "op/calc.h"

static inline lar_standard lar_standard_of(const lar_tensor *x, double eps) {
  return (lar_standard){x->shape[0], x->shape[1], x->shape[2], eps};
}

/* Mean over a group of a (outer, c, inner), as (1, c, 1). */
lar_var *lar_group_mean(lar_scope *s, lar_var *a);

#endif
