/*
 * kern/gemm - products of matrices and vectors: the only caller of BLAS.
 */
#ifndef LAR_KERN_GEMM_H
#define LAR_KERN_GEMM_H

#include "core/tensor.h"

/* c = alpha a b + beta c for 2-D float tensors of one dtype, (m, k) (k, n) (m, n), c
 * row-major. a and b may be transposed views; other layouts are copied first. */
lar_status lar_gemm(const lar_tensor *c, const lar_tensor *a, const lar_tensor *b, double alpha,
                    double beta);

#endif
