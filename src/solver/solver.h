/*
 * solver/solver - a sparse linear problem, a point on its path, and what a solver must say.
 *
 * Floor:    solver (may include: family penalty kern core).
 * Contract: one solver a file; it defines one `LAR_ENTRY(solver, <file>)`. A solver minimises
 *
 *             F(b0 + Z b + offset) + lambda Omega(b),   lower <= b <= upper
 *
 *           from the point it is given (a warm start), in the coordinates of the design: where
 *           that is standardised, b are the coefficients of z. With k predictors a row, b is k
 *           columns of p: coef[c * p + j]. Not converging is a result, not an error.
 */
#ifndef LAR_SOLVER_SOLVER_H
#define LAR_SOLVER_SOLVER_H

#include "family/family.h"
#include "penalty/reg.h"
#include "solver/design.h"

typedef struct lar_problem {
  const lar_design *x;
  const lar_family *family;
  const void *self; /* the family's parameters */
  lar_rows rows;
  const double *offset; /* n * k or NULL */
  lar_reg *penalty;     /* strengths are relative: lambda multiplies them all */
  const double *factor; /* p: weight of each coefficient (0 free, HUGE_VAL excluded) or NULL */
  const double *lower, *upper; /* p, or NULL; of the coefficients of z */
  bool intercept;
  double tol; /* relative to the null objective */
  int64_t max_iter;
  double null_value; /* F at the intercept-only fit; scale of gaps */
  double null_slope; /* max_j |z_j' dF/deta| there; scale of kkt */
} lar_problem;

typedef enum lar_outcome {
  LAR_CONVERGED,
  LAR_MAX_ITER,
  LAR_SATURATED, /* the deviance is explained: the path ended early */
  LAR_UNBOUNDED, /* no minimum: separable classes without a penalty */
  LAR_INTERRUPTED,
} lar_outcome;

typedef struct lar_point {
  double lambda;
  double *coef, *intercept; /* p * k, k */
  double *eta;              /* n * k: b0 + Z b + offset; need not be kept in step */
  double *corr;             /* p * k: z_j' dF/deta, where corr_known */
  bool corr_known;          /* set by the null fit; not once a solver has moved the point */
  double loss, value;       /* F, and F + lambda Omega */
  double gap;               /* duality gap / null_value; NaN where there is no dual */
  double kkt;               /* max distance of 0 to the subdifferential / null_slope */
  int64_t iterations, df;
  lar_outcome status;
} lar_point;

typedef struct lar_solver {
  const char *name, *doc, *source;
  int rank; /* of those that fit, the one of highest rank is taken */
  /* LAR_OK, or one sentence: "solver 'cd' needs a separable penalty; slope is coupled". */
  lar_status (*fits)(const lar_problem *g);
  lar_status (*open)(void **work, const lar_problem *g);
  /* lambda is at->lambda; `previous` that of the warm start, or HUGE_VAL. */
  lar_status (*solve)(void *work, const lar_problem *g, double previous, lar_point *at);
  void (*close)(void *work);
  /* The least lambda at which every penalised coefficient is 0, where the loss has the slopes
   * corr (p * k) there; HUGE_VAL: none holds them. NULL: lar_scalar_max, one by one. */
  lar_status (*max)(void *work, const lar_problem *g, const double *corr, double *out);
} lar_solver;

extern const lar_solver *const lar_solvers[]; /* ends in NULL; made by make */
const lar_solver *lar_solver_find(const char *name);
/* Is the loss all but at the least that it can fall to, with nothing to hold the coefficients
 * (classes that a plane parts)? near: how near, of the null value. */
bool lar_unbounded(const lar_problem *g, const lar_point *at, double near);
/* The solver of that name (NULL: the best that fits), or the sentence why not. */
lar_status lar_solver_choose(const lar_solver **out, const lar_problem *g, const char *name);

#endif
