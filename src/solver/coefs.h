/*
 * solver/coefs - the coefficients of a problem as one tensor with its penalty bound to it.
 *
 * Floor:    solver.
 * Contract: the tensor is float64, of shape (p), or (k, p) with k predictors a row; there a
 *           list or ids of p coordinates group the features: each group holds the
 *           coefficients of its features in every predictor.
 */
#ifndef LAR_SOLVER_COEFS_H
#define LAR_SOLVER_COEFS_H

#include "penalty/compose.h"
#include "solver/solver.h"

typedef struct lar_coefs {
  int64_t p, k;
  lar_params params;
  lar_reg *reg;
  lar_bound *bound;
  lar_tensor *t; /* the tensor, and its elements */
  double *b;
  int n;        /* addends */
  double *base; /* their strengths at lambda = 1; NaN for constraints */
  double lambda;
  bool convex, known; /* known: one addend, whose greatest strength has a formula */
} lar_coefs;

lar_status lar_coefs_open(lar_coefs *c, const lar_problem *g);
void lar_coefs_close(lar_coefs *c);

/* Multiply all strengths by lambda from now on. */
lar_status lar_coefs_set(lar_coefs *c, double lambda);

/* lambda Omega(b); b becomes its prox, bounds aside. */
lar_status lar_coefs_value(lar_coefs *c, double *out);
lar_status lar_coefs_prox(lar_coefs *c, double step);

/* The least lambda at which a loss whose gradient at 0 is in b leaves every coefficient there.
 * HUGE_VAL: none does, of a convex penalty. LAR_EARG: of another, or nothing has a strength. */
lar_status lar_coefs_max(lar_coefs *c, double *out);

/* Do all addends have all of these traits? Is there any with one of them? */
bool lar_reg_all(const lar_reg *r, unsigned traits);
bool lar_reg_any(const lar_reg *r, unsigned traits);

/* Are the factors of a problem all 1, or absent? */
bool lar_problem_plain(const lar_problem *g);

/* May factors of columns that are not 1 become weights of the penalty? LAR_OK, or why not. */
lar_status lar_reg_factors(const lar_problem *g, const char *who);
/* The same sum with the factors in the weights of all but constraints. *loose: has any addend a
 * weight of 0? */
lar_status lar_reg_weighted(lar_reg **out, const lar_problem *g, bool *loose);

/* The features j with a coefficient that is not 0. */
int64_t lar_coefs_df(const double *b, int64_t p, int64_t k);

#endif
