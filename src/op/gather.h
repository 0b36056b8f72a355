/*
 * op/gather - what gather, scatter and scatter_add share.
 */
#ifndef LAR_OP_GATHER_H
#define LAR_OP_GATHER_H

#include "op/calc.h"

/* out = for each element of `index`, the element of x that it names along the user's d. */
lar_status lar_gather(lar_tensor *out, const lar_tensor *x, const lar_tensor *index, int64_t d);

/* out = x with src (of index's shape, or one element) stored, or added, at those places. */
lar_status lar_scatter(lar_tensor *out, const lar_tensor *x, const lar_tensor *index,
                       const lar_tensor *src, int64_t d, bool add);

/* The derivative for a source: g at the index's places, in the source's shape (larger than
 * the index: zeros beyond it; one element: the sum). */
lar_var *lar_gather_source(lar_scope *s, lar_var *g, lar_var *index, lar_var *src,
                           const lar_attr *a);

#endif
