/*
 * op/reduce - what reductions share: `args = "xD"`, f[0] = keepdim.
 */
#ifndef LAR_OP_REDUCE_H
#define LAR_OP_REDUCE_H

#include "op/calc.h"

/* The first row of a reduction's params. */
#define LAR_KEEPDIM \
  { "keepdim", LAR_AT(0), 0, 0, 1, "keep reduced dimensions as size 1", LAR_FLAG, NULL }

/* g, of the reduced shape, seen again in the shape of x (dimensions of attr as size 1). */
lar_var *lar_unreduce(lar_scope *s, lar_var *g, lar_var *x, const lar_attr *a);

#endif
