/*
 * kern/reduce - fold dimensions of a tensor away.
 *
 * Floor:    kern. Sums and products of floats accumulate in double, of integers in int64.
 *           Work is cut in fixed chunks combined in order: same bits for any thread count.
 */
#ifndef LAR_KERN_REDUCE_H
#define LAR_KERN_REDUCE_H

#include "core/tensor.h"

typedef enum lar_fold { LAR_FOLD_SUM, LAR_FOLD_PROD, LAR_FOLD_COUNT } lar_fold;

/* out (fresh) = x folded over the dimensions with covered[d]; they stay as size 1 when
 * keepdim. SUM and PROD keep x's dtype (bool becomes int64); COUNT (of elements that are
 * not 0) gives int64. */
lar_status lar_reduce(lar_tensor *out, const lar_tensor *x, const bool *covered, bool keepdim,
                      lar_fold fold);

/* x as a row-major (outer, reduced, inner) block, for kernels of their own: *out is x itself
 * or a rearranged copy, sizes[3] its shape. */
lar_status lar_reduce_layout(lar_tensor *out, const lar_tensor *x, const bool *covered,
                             int64_t sizes[3]);

/* The shape that is left. */
int lar_reduce_shape(const lar_tensor *x, const bool *covered, bool keepdim, int64_t *shape);

#endif
