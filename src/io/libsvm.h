/*
 * io/libsvm - sparse rows as text: "label index:value index:value # comment".
 *
 * Floor:  io (may include: kern core).
 * Source: Chang & Lin 2011, LIBSVM: a library for support vector machines, ACM TIST 2(3).
 */
#ifndef LAR_IO_LIBSVM_H
#define LAR_IO_LIBSVM_H

#include "kern/sparse.h"

/* Read a file, gzip or not: x of dtype (n, p) and the labels y (n), float64. p: number of
 * columns, or 0: as many as the largest index. base: the index of the first column, 0 or 1, or
 * -1: 0 if one is found, else 1. "qid:7" is skipped. Text that is not such a file is LAR_EIO
 * with file and line. */
lar_status lar_libsvm_read(lar_sparse **x, lar_tensor *y, const char *path, lar_dtype dtype,
                           int64_t p, int base);

#endif
