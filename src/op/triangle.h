/*
 * op/triangle - what tril and triu share: `args = "xi?"`.
 */
#ifndef LAR_OP_TRIANGLE_H
#define LAR_OP_TRIANGLE_H

#include "op/op.h"

/* A copy with zeros above (lower) or below (upper) the k-th diagonal. */
lar_status lar_triangle_forward(lar_io *io, bool lower);

#endif
