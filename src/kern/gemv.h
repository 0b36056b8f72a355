/*
 * kern/gemv - a small matrix times a vector, or a vector times another's transpose, without
 * the overhead of BLAS.
 */
#ifndef LAR_KERN_GEMV_H
#define LAR_KERN_GEMV_H

#include "core/tensor.h"

/* c = alpha a b + beta c as lar_gemm has it, where that is small and a is one row, b one column
 * or both; or a one column. False (and nothing done) where not. */
bool lar_gemv(const lar_tensor *c, const lar_tensor *a, const lar_tensor *b, double alpha,
              double beta);

#endif
