/*
 * kern/lapack - factorisations of one matrix: the only caller of LAPACK.
 *
 * Floor:    kern. Tensors are 2-D (vectors 1-D), float32 or float64, all of one dtype and of
 *           any strides; outputs exist already, in the shapes given here (k = min(m, n)).
 * Contract: inputs are left alone. A matrix with NaN or infinity, or one that the method
 *           cannot take, is LAR_EMATH with a sentence (without the op's name).
 * Source:   Anderson et al., LAPACK Users' Guide, 3rd edition, SIAM 1999.
 */
#ifndef LAR_KERN_LAPACK_H
#define LAR_KERN_LAPACK_H

#include "core/tensor.h"

/* a = u diag(s) v': a (m, n), u (m, k), s (k) falling, v (n, k). */
lar_status lar_lapack_svd(const lar_tensor *u, const lar_tensor *s, const lar_tensor *v,
                          const lar_tensor *a);

/* (a + a') / 2 = v diag(w) v': a (n, n), w (n) rising, v (n, n). */
lar_status lar_lapack_eigh(const lar_tensor *w, const lar_tensor *v, const lar_tensor *a);

/* a = q r: a (m, n), q (m, k), r (k, n) with no negative number on its diagonal. */
lar_status lar_lapack_qr(const lar_tensor *q, const lar_tensor *r, const lar_tensor *a);

/* (a + a') / 2 = l l', l lower. */
lar_status lar_lapack_cholesky(const lar_tensor *l, const lar_tensor *a);

/* x = a^-1 b: a (n, n), b and x (n, k). */
lar_status lar_lapack_solve(const lar_tensor *x, const lar_tensor *a, const lar_tensor *b);

/* The same where a is triangular; its other half is not read. */
lar_status lar_lapack_solve_triangle(const lar_tensor *x, const lar_tensor *a,
                                     const lar_tensor *b, bool upper);

/* |det a| = exp(log), sign -1, 0 or 1. */
lar_status lar_lapack_slogdet(double *sign, double *log, const lar_tensor *a);

#endif
