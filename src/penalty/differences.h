/*
 * penalty/differences - what differences along rows do not see, and their lambda_max.
 *
 * Floor:    penalty.
 * Contract: rows are the last dimension. Differences of order k + 1 are 0 of polynomials of
 *           degree k and of nothing else.
 */
#ifndef LAR_PENALTY_DIFFERENCES_H
#define LAR_PENALTY_DIFFERENCES_H

#include "core/tensor.h"

/* Take off each row of w (contiguous, float64) the polynomial of degree k nearest to it. */
lar_status lar_differences_centre(const lar_tensor *w, int k);

/* The least l at which l |D w|_1 keeps every row a polynomial of degree k where the loss has
 * the gradient g: the least max |z_i| of those with D' z = -g. A polynomial in g does not
 * count. */
lar_status lar_differences_max(const lar_tensor *g, int k, double *out);

#endif
