/*
 * solver/dual - certificates: how far a point can be from the optimum.
 *
 * Floor:    solver.
 * Contract: with u = dF/deta at the point, any multiple s u with sum 0 (with an intercept) is
 *           dual feasible where the conjugates are finite, and
 *             gap = F + sum phi_j(b_j) + F*(s u) + sum phi_j*(-s z_j'u) >= J(b) - min J.
 */
#ifndef LAR_SOLVER_DUAL_H
#define LAR_SOLVER_DUAL_H

#include "solver/scalar.h"

/* Fills at->value, at->gap, at->kkt and at->df from at->loss, coef, corr (p): z_j'u, and u (n),
 * which squared loss does without. `scratch` (n) is written. The multiple s. */
double lar_certify(const lar_problem *g, const lar_scalar *s, const double *u,
                   const double *corr, double *scratch, lar_point *at);

/* How far u of the best dual point can be from a dual feasible one with that gap, as F* is
 * convex by 1 / (bound w_i); HUGE_VAL where there is no bound. */
double lar_dual_radius(const lar_problem *g, double gap);

/* The same about share u, which has that gap; where there is no bound on curvature, by what is
 * near: with u + c the weights m of the rows there, F* is convex by 1 / (m_i + R) within R of
 * share u, and a best point farther away than R = gap + sqrt(gap^2 + 2 gap max m) would be
 * better by more than the gap (Dantas, Soubies & Fevotte 2021, JMLR 22). */
double lar_dual_ball(const lar_problem *g, const double *u, double share, double gap);

#endif
