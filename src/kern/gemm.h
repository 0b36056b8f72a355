/*
 * kern/gemm - products of matrices and vectors: the only caller of BLAS.
 */
#ifndef LAR_KERN_GEMM_H
#define LAR_KERN_GEMM_H

#include "core/tensor.h"
#include "kern/after.h"

/* c = alpha a b + beta c for 2-D float tensors of one dtype, (m, k) (k, n) (m, n), c
 * row-major. a and b may be transposed views; other layouts are copied first. */
lar_status lar_gemm(const lar_tensor *c, const lar_tensor *a, const lar_tensor *b, double alpha,
                    double beta);

/* c = a b, and what comes after. */
lar_status lar_gemm_then(const lar_tensor *c, const lar_tensor *a, const lar_tensor *b,
                         const lar_after *after);

/* The product a b some rows at a time, to the bits of lar_gemm: b is packed into a block of so
 * many bytes (0: not for such a product), then rows [from, from + n), without gaps, are made
 * where they are wanted, by any thread. */
size_t lar_gemm_rows_room(const lar_tensor *a, const lar_tensor *b);
void lar_gemm_rows_pack(const lar_tensor *a, const lar_tensor *b, void *packed);
void lar_gemm_rows(const lar_tensor *a, const lar_tensor *b, const void *packed, int64_t from,
                   int64_t n, void *to);

#endif
