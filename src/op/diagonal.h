/*
 * op/diagonal - the view that diagonal and its derivative share.
 */
#ifndef LAR_OP_DIAGONAL_H
#define LAR_OP_DIAGONAL_H

#include "core/tensor.h"

/* The k-th diagonal of the last two dimensions of x. */
lar_status lar_diagonal_view(lar_tensor *out, const lar_tensor *x, int64_t k);

#endif
