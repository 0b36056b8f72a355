/*
 * solver/barrier - a loss of kinks with absolute values and squares, by an interior point.
 *
 * Floor:    solver.
 * Contract: over b in R^m, with rows i of X (n, m; columns in one piece),
 *
 *             min sum_i max over lo_i <= u_i <= hi_i of u_i (y_i - x_i'b)
 *                 + sum_j a_j |b_j| + s_j b_j^2 / 2,
 *
 *           and its dual, over u and |v_j| <= a_j with X'u + v = s b. lo < 0 < hi.
 */
#ifndef LAR_SOLVER_BARRIER_H
#define LAR_SOLVER_BARRIER_H

#include <stdint.h>

#include "core/status.h"

typedef struct lar_barrier {
  int64_t n, m;
  const double *X, *y, *lo, *hi, *a, *s;
  double *b;  /* m: the start, then the result */
  double *u;  /* n + m: the dual point: u, v */
  double gap; /* of primal and dual, as it ended */
  int64_t iterations;
} lar_barrier;

/* Until the gap is at most `fine`, or rounding ends it. */
lar_status lar_barrier_solve(lar_barrier *P, double fine, int64_t limit);

#endif
