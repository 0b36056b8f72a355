/*
 * io/npy - NumPy's .npy files.
 *
 * Floor:  io (may include: kern core).
 * Source: NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays": magic,
 *         version, a head that is a Python dictionary, then the numbers.
 */
#ifndef LAR_IO_NPY_H
#define LAR_IO_NPY_H

#include "core/tensor.h"

/* Read a file (versions 1 to 3, either byte order, C or Fortran order, gzip or not). Floats
 * keep their width (2 bytes: float32), integers become int64; dtype LAR_NDTYPE: that. */
lar_status lar_npy_read(lar_tensor *out, const char *path, lar_dtype dtype);

/* Write a file, whole or not at all. */
lar_status lar_npy_save(const char *path, const lar_tensor *t);

#endif
