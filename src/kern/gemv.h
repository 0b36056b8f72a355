/*
 * kern/gemv - a small matrix times a vector, without the overhead of BLAS.
 */
#ifndef LAR_KERN_GEMV_H
#define LAR_KERN_GEMV_H

#include "core/tensor.h"

/* c = alpha a b + beta c as lar_gemm has it, where a is one row or b one column, and small;
 * false (and nothing done) where not. */
bool lar_gemv(const lar_tensor *c, const lar_tensor *a, const lar_tensor *b, double alpha,
              double beta);

#endif
