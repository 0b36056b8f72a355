/*
 * op/gather - what gather, scatter and scatter_add share.
 */
#ifndef LAR_OP_GATHER_H
#define LAR_OP_GATHER_H

#include "op/calc.h"

/* *out (to be freed by lar_free): for each element of `index`, in row-major order, where in
 * a row-major tensor of x's shape the element lies that it names along the user's d. */
lar_status lar_gather_places(int64_t **out, const lar_tensor *x, const lar_tensor *index,
                             int64_t d);

/* y = the elements of x, both row-major and of one dtype, at those places. */
void lar_gather_pick(const lar_tensor *y, const lar_tensor *x, const int64_t *at);

/* out = x with src (of index's shape, or one element) stored, or added, at those places. */
lar_status lar_scatter(lar_tensor *out, const lar_tensor *x, const lar_tensor *index,
                       const lar_tensor *src, int64_t d, bool add);

/* The derivative for a source: g at the index's places, in the source's shape (larger than
 * the index: zeros beyond it; one element: the sum). */
lar_var *lar_gather_source(lar_scope *s, lar_var *g, lar_var *index, lar_var *src,
                           const lar_attr *a);

#endif
