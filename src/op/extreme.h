/*
 * op/extreme - what max, min, argmax and argmin share: `args = "xi?"`, f[0] = keepdim.
 */
#ifndef LAR_OP_EXTREME_H
#define LAR_OP_EXTREME_H

#include "op/reduce.h"

/* Value over all; value and place along a dimension. */
lar_status lar_extreme_forward(lar_io *io, bool largest);

/* Over all, equal extremes share the gradient evenly; along a dimension the chosen one, the
 * first, gets it (both as PyTorch). */
void lar_extreme_vjp(lar_vjp *v);

/* The place only: over all, of the elements in row-major order. */
lar_status lar_extreme_place(lar_io *io, bool largest);

#endif
