/*
 * op/slice - the view behind indexing, narrow, select and their derivatives.
 */
#ifndef LAR_OP_SLICE_H
#define LAR_OP_SLICE_H

#include "op/op.h"

/* attr i[4 d ..]: start (0-based), length, step and drop for each dimension d of x; the
 * caller has checked that they lie inside. */
lar_status lar_slice_view(lar_tensor *out, const lar_tensor *x, const lar_attr *a);

/* Start from the whole of x. */
lar_attr lar_slice_all(const lar_tensor *x);

#endif
