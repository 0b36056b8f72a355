/*
 * op/engine - what op.c and map.c share: elementwise evaluation.
 */
#ifndef LAR_OP_ENGINE_H
#define LAR_OP_ENGINE_H

#include "op/op.h"

/* Broadcast, choose a dtype, allocate, run the kernel. */
lar_status lar_map_forward(lar_io *io);

/* The same into dst; *done is false (and nothing changed) when dst overlaps an input in a
 * way that asks for a temporary. */
lar_status lar_map_into(const lar_op *op, const lar_attr *attr, int nin,
                        const lar_tensor *const *in, const lar_tensor *dst, bool *done);

#endif
