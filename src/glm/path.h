/*
 * glm/path - fits along a grid of lambdas, each from the last.
 *
 * Floor:    glm (may include: solver family penalty kern core).
 */
#ifndef LAR_GLM_PATH_H
#define LAR_GLM_PATH_H

#include "solver/solver.h"

/* What is asked for. Everything is borrowed. */
typedef struct lar_path_ask {
  /* x not yet standardised; rows as the caller has them: n, k, y, status, and w (any scale;
   * NULL: 1); bounds on the scale of x. On the way in rows are made ready, with weights that
   * sum to 1, and null_value and null_slope found. */
  lar_problem problem;
  bool standardize;
  const double *lambda; /* falling; NULL: a grid of n_lambda from lambda_max */
  int64_t n_lambda;
  double min_ratio;   /* <= 0: 1e-4 for n >= p, else 1e-2 */
  double lambda_max;  /* > 0: in the place of the computed one */
  const char *solver; /* NULL: chosen */
  bool early_end;     /* stop where the deviance is explained */
} lar_path_ask;

/* What came of it: arrays for n points, on the scale of the X that was given. */
typedef struct lar_path {
  int64_t n, p, k;
  double *lambda;           /* n */
  double *coef, *intercept; /* n * k * p, n * k: point l at coef + l * k * p */
  lar_tensor coefs;         /* owns what coef points at: float64 (n_lambda, k, p) */
  double *loss, *value, *gap, *kkt, *dev_ratio;
  int64_t *df, *iterations;
  unsigned char *status; /* of lar_outcome */
  double null_value, null_deviance, lambda_max;
  const lar_solver *solver;
} lar_path;

/* each (may be NULL) sees every point as it is done, for progress: its status, numbers and df;
 * eta need not be kept up (a solver that works on a Gram matrix has none). Rows of weight 0 do
 * not act at all. */
lar_status lar_path_fit(lar_path *out, const lar_path_ask *ask,
                        lar_status (*each)(void *ctx, int64_t l, const lar_point *at),
                        void *ctx);
void lar_path_clear(lar_path *p);

/* The least lambda at which every penalised coefficient is 0. A penalty without corner at 0 is
 * taken as if 1/1000 of it were l1. LAR_EARG for one without strength (bounds alone). */
lar_status lar_path_lambda_max(const lar_path_ask *ask, double *out);

/* The lambdas of the knots of a lasso path of squared loss (ask's penalty is l1 alone),
 * falling, down to that share of the greatest, at most `most` of them; *out is to be freed
 * with lar_free. A path with these and the solver "lars" gives the coefficients there. */
lar_status lar_path_knots(const lar_path_ask *ask, double share, int64_t most, double **out,
                          int64_t *n);

#endif
