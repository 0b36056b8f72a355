/*
 * kern/gram - products of columns with columns, of matrices that are tall and narrow.
 *
 * Floor:    kern. Element (i, j) of a is a[j * lda + i]. BLAS copies what it multiplies, which
 *           pays where every number is used many times; with few columns it is not.
 */
#ifndef LAR_KERN_GRAM_H
#define LAR_KERN_GRAM_H

#include <stdbool.h>
#include <stdint.h>

/* Is this faster than BLAS where a has m columns and b has k, or a is multiplied with itself?
 */
bool lar_gram_pays(int64_t m, int64_t k);

/* c (m, k) += a' b for a (n, m), b (n, k). */
void lar_gram_cross(int64_t n, int64_t m, int64_t k, const double *a, int64_t lda,
                    const double *b, int64_t ldb, double *c, int64_t ldc);

/* The lower half of c (m, m) += a' a for a (n, m). */
void lar_gram_square(int64_t n, int64_t m, const double *a, int64_t lda, double *c,
                     int64_t ldc);

#endif
