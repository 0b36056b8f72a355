/*
 * kern/flat - products and factors of plain matrices of doubles, columns in one piece.
 *
 * Floor:    kern. Element (i, j) of a is a[j * lda + i]. For solvers that own their memory;
 *           tensors have kern/gemm and kern/lapack.
 */
#ifndef LAR_KERN_FLAT_H
#define LAR_KERN_FLAT_H

#include <stdbool.h>
#include <stdint.h>

/* c (m, k) += a' b for a (n, m), b (n, k). */
void lar_flat_cross(int64_t n, int64_t m, int64_t k, const double *a, int64_t lda,
                    const double *b, int64_t ldb, double *c, int64_t ldc);

/* The lower half of c (m, m) += a' a for a (n, m). */
void lar_flat_square(int64_t n, int64_t m, const double *a, int64_t lda, double *c,
                     int64_t ldc);

/* a = l l' in its lower half, in place; false where a is not positive definite. */
bool lar_flat_cholesky(int64_t n, double *a, int64_t lda);

/* a = (l l')^-1, both halves, from its lower half l, in place. */
void lar_flat_inverse(int64_t n, double *a, int64_t lda);

/* b = l^-1 b, and b = l'^-1 b */
void lar_flat_forward(int64_t n, const double *l, int64_t lda, double *b);
void lar_flat_backward(int64_t n, const double *l, int64_t lda, double *b);

/* b = (l l')^-1 b */
void lar_flat_cholesky_solve(int64_t n, const double *l, int64_t lda, double *b);

#endif
