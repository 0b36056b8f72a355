/*
 * op/along - what ops along one dimension share.
 */
#ifndef LAR_OP_ALONG_H
#define LAR_OP_ALONG_H

#include "op/op.h"

/* x as a row-major block (outer, n, inner) around a dimension. */
typedef struct lar_along {
  lar_tensor t; /* owned: lar_tensor_clear it */
  int dim;
  int64_t sizes[3]; /* outer, n, inner */
} lar_along;

/* Around the user's dimension d (LAR_NONE: the last; a scalar counts as one element), in
 * dtype t. */
lar_status lar_along_init(lar_along *a, const lar_tensor *x, int64_t d, lar_dtype t);

/* The float dtype an op computes in on a tensor of dtype t. */
lar_dtype lar_float_dtype(lar_dtype t);

/* Fail unless `index` is int64 with as many dimensions as x, no larger than x but along d. */
lar_status lar_along_index(const lar_tensor *x, const lar_tensor *index, int d);

#endif
