/*
 * op/engine - what op.c and map.c share: elementwise evaluation.
 */
#ifndef LAR_OP_ENGINE_H
#define LAR_OP_ENGINE_H

#include "kern/copy.h"
#include "kern/loop.h"
#include "op/call.h"
#include "op/op.h"

/* Broadcast, choose a dtype, allocate, run the kernel. */
lar_status lar_map_forward(lar_io *io);

/* The same for a few elements of one dtype and shape, or single ones; *done is false when they
 * are something else. */
lar_status lar_map_small(const lar_op *op, const lar_attr *attr, int nin, lar_var *const *in,
                         lar_var **out, bool *done);

/* The same into dst; *done is false (and nothing changed) when dst overlaps an input in a
 * way that asks for a temporary. */
lar_status lar_map_into(const lar_op *op, const lar_attr *attr, int nin,
                        const lar_tensor *const *in, const lar_tensor *dst, bool *done);

/* An elementwise kernel made ready for tensors whose elements may move between runs. `f`
 * points into the attributes that it was prepared with. */
enum { LAR_MAP_IN = LAR_LOOP_OPERANDS - 1 };

typedef struct lar_map_job {
  lar_map *kernel;
  const double *f;
  int nin;
  bool plain; /* one short row, read and written as it lies */
  size_t size, out_size;
  lar_dtype compute, out;
  lar_copy_row *pack[LAR_MAP_IN], *unpack; /* NULL where the dtype is right already */
  size_t in_size[LAR_MAP_IN];
  lar_loop loop;
} lar_map_job;

lar_status lar_map_prepare(lar_map_job *j, const lar_op *op, const lar_attr *attr, int nin,
                           const lar_tensor *const *in, const lar_tensor *out);
/* t: out, then the inputs: of the layout that the job was prepared for. */
void lar_map_run(lar_map_job *j, const lar_tensor *const *t);

#endif
