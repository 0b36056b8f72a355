/*
 * op/order - what sort, argsort, topk, median share: places along a dimension.
 */
#ifndef LAR_OP_ORDER_H
#define LAR_OP_ORDER_H

#include "op/calc.h"

/* The 1-based places along the user's d (LAR_NONE: the last) of the first `most` elements in
 * their order (LAR_NONE: of all). */
lar_status lar_order(lar_tensor *place, const lar_tensor *x, int64_t d, bool descending,
                     int64_t most);

/* out[0] = values, out[1] = places of the first n in their order, along d. */
lar_status lar_order_part(lar_io *io, int64_t d, bool descending, int64_t n);

/* g goes to the places y[1] along d. */
void lar_order_vjp(lar_vjp *v, int64_t d);

#endif
