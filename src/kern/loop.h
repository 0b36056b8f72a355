/*
 * kern/loop - walk over several tensors of one shape as a list of rows.
 *
 * Floor:    kern (may include: core).
 * Contract: dimensions that are laid out alike are merged, so contiguous tensors are one
 *           row. The body gets the addresses and element strides of a row for each operand.
 *           Rows are handed out in parallel when there is much to do; a body must therefore
 *           write only through operand 0 (and others of which each row owns its part).
 */
#ifndef LAR_KERN_LOOP_H
#define LAR_KERN_LOOP_H

#include "core/par.h"
#include "core/tensor.h"

enum { LAR_LOOP_OPERANDS = 6, LAR_LOOP_GRAIN = 32768, LAR_LOOP_FINE = 4096 };

/* Elements of a chunk where there are n in all: fewer, where that is enough for two threads. */
static inline int64_t lar_loop_grain(int64_t n) {
  bool few = n < (int64_t)LAR_PAR_LEAST * LAR_LOOP_GRAIN;
  return few && n >= (int64_t)LAR_PAR_LEAST * LAR_LOOP_FINE ? LAR_LOOP_FINE : LAR_LOOP_GRAIN;
}

typedef struct lar_loop {
  int n, ndim; /* operands, merged dimensions; the last is the row */
  int64_t shape[LAR_MAX_NDIM], stride[LAR_LOOP_OPERANDS][LAR_MAX_NDIM];
  char *base[LAR_LOOP_OPERANDS];
  size_t size[LAR_LOOP_OPERANDS];
} lar_loop;

typedef void lar_loop_body(void *ctx, int64_t n, char *const *p, const int64_t *stride);

/* All operands must have operand 0's shape (see lar_tensor_expand). */
void lar_loop_init(lar_loop *l, int n, const lar_tensor *const *t);
void lar_loop_run(const lar_loop *l, lar_loop_body *body, void *ctx);

/* The same, always in row-major order of operand 0's shape and on the calling thread. */
void lar_loop_run_ordered(const lar_loop *l, lar_loop_body *body, void *ctx);

#endif
