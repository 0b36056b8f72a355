/*
 * solver/loose - columns whose coefficients are free, taken out of least squares.
 *
 * Floor:    solver.
 * Contract: with A = W^1/2 Z and A_free = Q R, where Q is orthonormal, the other coefficients
 *           solve the problem of P A and P W^1/2 r, P = 1 - Q Q', and the free ones follow from
 *           R b = Q'(W^1/2 r - A b). A column that adds nothing to those before is 0 in Q, and
 *           has the coefficient 0.
 */
#ifndef LAR_SOLVER_LOOSE_H
#define LAR_SOLVER_LOOSE_H

#include "solver/solver.h"

typedef struct lar_loose {
  int64_t m;     /* how many */
  int64_t *list; /* which; owned */
  double *Q, *R; /* n * m by columns; m * m, row-major */
} lar_loose;

/* Column j of Z times the root of the weights of rows. */
void lar_root_column(const lar_problem *g, int64_t j, double *out);

/* Q and R of the columns listed. */
lar_status lar_loose_factor(lar_loose *f, const lar_problem *g);
void lar_loose_close(lar_loose *f);

/* v (n) less its part along Q; what that is, Q'v, is added to part (m), if any. */
void lar_loose_project(const lar_loose *f, int64_t n, double *v, double *part);
/* part becomes b: R b = part. */
void lar_loose_solve(const lar_loose *f, double *part);

/* K (n * n) becomes P K P, in place; G = A'A (p * p) becomes A'P A. */
void lar_loose_kernel(const lar_loose *f, int64_t n, double *K);
lar_status lar_loose_gram(const lar_loose *f, const lar_problem *g, double *G);

#endif
