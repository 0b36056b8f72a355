/*
 * glm/null - the fit before any penalised coefficient enters, and the largest lambda.
 *
 * Floor:    glm.
 */
#ifndef LAR_GLM_NULL_H
#define LAR_GLM_NULL_H

#include "solver/solver.h"

/* at->coef is 0, moved into the bounds; at->eta, the best intercept and at->corr follow. Fills
 * g->null_value and g->null_slope, and the Gram matrix of x, which is g->x, where it is narrow
 * and the loss is squared. */
lar_status lar_null_fit(lar_problem *g, lar_design *x, lar_point *at);

/* *out: the least lambda at which every penalised coefficient is 0; at is the null fit and is
 * moved to the fit of the coefficients that are free. 0 where nothing is penalised. */
lar_status lar_null_lambda_max(const lar_problem *g, const lar_solver *solver, lar_point *at,
                               double *out);

#endif
