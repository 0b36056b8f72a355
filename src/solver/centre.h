/*
 * solver/centre - the intercepts alone; predictors and gradients.
 *
 * Floor:    solver.
 */
#ifndef LAR_SOLVER_CENTRE_H
#define LAR_SOLVER_CENTRE_H

#include "solver/solver.h"

/* Move eta (n * k) and the intercepts b0 to where F is least along the intercepts; the slopes
 * at eta are then in `slope`. Without an intercept: the slopes alone. */
lar_status lar_centre(const lar_problem *g, double *eta, double *b0, double *slope);

/* eta = b0 + Z b + offset */
void lar_predict(const lar_problem *g, const double *b, const double *b0, double *eta);

/* out (p * k) = Z' slope, for all features. */
void lar_gradient(const lar_problem *g, const double *slope, double *out);

/* The sum of n numbers. */
double lar_total(const double *v, int64_t n);

#endif
