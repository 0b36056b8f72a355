/*
 * op/variance - the formula that var and std share: `args = "xD"`.
 */
#ifndef LAR_OP_VARIANCE_H
#define LAR_OP_VARIANCE_H

#include "op/reduce.h"

#define LAR_VARIANCE_PARAMS                                                        \
  LAR_KEEPDIM, {                                                                   \
    "unbiased", LAR_AT(1), 1, 0, 1, "divide by n - 1 instead of n", LAR_FLAG, NULL \
  }

/* Mean square distance from the mean, in two passes. */
lar_var *lar_variance(lar_scope *s, const lar_attr *a, lar_var *x);

#endif
