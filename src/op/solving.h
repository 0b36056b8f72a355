/*
 * op/solving - what solve and solve_triangular share.
 */
#ifndef LAR_OP_SOLVING_H
#define LAR_OP_SOLVING_H

#include "op/matrices.h"

/* in[0] (..., n, n), in[1] (..., n, k) of one batch: out = in[0]^-1 in[1]. kind: 0 general,
 * 1 lower, 2 upper. */
lar_status lar_solving_forward(lar_io *io, int kind);

/* From a and b as users give them, b a vector, a matrix or a batch of either, to those. */
lar_var *lar_solving_compose(lar_scope *s, const lar_op *op, const lar_attr *a,
                             lar_var *const *in);

#endif
