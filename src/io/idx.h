/*
 * io/idx - the IDX files of MNIST and its kin.
 *
 * Floor:  io (may include: kern core).
 * Source: Y. LeCun, C. Cortes, C. Burges, THE MNIST DATABASE: two zero bytes, a type, the
 *         number of dimensions, each size in 4 bytes, then the numbers, high bytes first.
 */
#ifndef LAR_IO_IDX_H
#define LAR_IO_IDX_H

#include "core/tensor.h"

/* Read a file, gzip or not. dtype LAR_NDTYPE: floats as they are; integers int64 in one
 * dimension (labels), else `otherwise`. */
lar_status lar_idx_read(lar_tensor *out, const char *path, lar_dtype dtype,
                        lar_dtype otherwise);

#endif
