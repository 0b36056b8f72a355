/*
 * op/shape - what the ops on shapes share.
 */
#ifndef LAR_OP_SHAPE_H
#define LAR_OP_SHAPE_H

#include "op/op.h"

/* The shape in attr, a -1 replaced by the size that makes the element counts equal. */
lar_status lar_shape_infer(const lar_attr *a, const lar_tensor *x, int64_t *shape);

#endif
