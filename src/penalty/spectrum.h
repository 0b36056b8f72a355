/*
 * penalty/spectrum - functions of the singular values of a matrix.
 *
 * Floor:    penalty.
 * Contract: a tensor (a, b, ...) is seen as the matrix (a, b * ...), a vector as one row. By
 * von Neumann's trace inequality the prox of sum_k phi(s_k) keeps the singular vectors and
 *           takes phi's prox of each s_k, convex or not (Lewis 1995, J. Convex Anal. 2). All
 *           work is in float64. With NaN or infinity in it, the value is NaN, and so is the
 *           prox.
 */
#ifndef LAR_PENALTY_SPECTRUM_H
#define LAR_PENALTY_SPECTRUM_H

#include "penalty/penalty.h"

typedef double lar_spectrum_fn(const void *self, double l, double s, double step);

/* sum_k phi(s_k); its gradient U diag(phi'(s)) V' (0 where s is 0) added to g; the prox. */
lar_status lar_spectrum_value(const lar_pen_at *at, const lar_tensor *w, lar_spectrum_fn *phi,
                              double *out);
lar_status lar_spectrum_grad(const lar_pen_at *at, const lar_tensor *w, lar_spectrum_fn *slope,
                             const lar_tensor *g);
lar_status lar_spectrum_prox(const lar_pen_at *at, const lar_tensor *w, lar_spectrum_fn *shrink,
                             double step);

/* Only the r largest singular values stay; what share of |w|_F the next one is. */
lar_status lar_spectrum_truncate(const lar_pen_at *at, const lar_tensor *w, int64_t r);
lar_status lar_spectrum_beyond(const lar_tensor *w, int64_t r, double *out);

/* The largest singular value. */
lar_status lar_spectrum_max(const lar_pen_at *at, const lar_tensor *g, double *out);

#endif
