/*
 * solver/lars - the lasso's path, which is a chain of straight pieces, from knot to knot.
 *
 * Floor:    solver.
 */
#ifndef LAR_SOLVER_LARS_H
#define LAR_SOLVER_LARS_H

#include "solver/solver.h"

/* The lambdas at which a coefficient enters or leaves, falling, down to that share of the
 * greatest; at most `most` of them. *out is to be freed with lar_free. */
lar_status lar_lars_knots(const lar_problem *g, double share, int64_t most, double **out,
                          int64_t *n);

#endif
