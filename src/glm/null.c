#include "glm/null.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "solver/centre.h"
#include "solver/scalar.h"

/* ---- the best constants ---- */

/* Where a loss overflows at the offset (poisson, far up), intercepts that bring it down. */
static lar_status bring_down(const lar_problem *g, lar_point *at) {
  int64_t n = g->x->n;
  for (int64_t c = 0; c < g->rows.k; c++) {
    double *eta = at->eta + c * n, top = -HUGE_VAL;
    for (int64_t i = 0; i < n; i++) top = g->rows.w[i] > 0 && eta[i] > top ? eta[i] : top;
    at->intercept[c] = -top;
    for (int64_t i = 0; i < n; i++) eta[i] -= top;
  }
  return g->family->value(g->self, &g->rows, at->eta, &at->loss);
}

/* u: the slopes there; *first: the loss without intercepts. */
static lar_status smooth(const lar_problem *g, lar_point *at, double *u, double *first) {
  lar_predict(g, at->coef, at->intercept, at->eta);
  LAR_TRY(g->family->value(g->self, &g->rows, at->eta, &at->loss));
  *first = at->loss;
  if (g->intercept && !isfinite(at->loss)) LAR_TRY(bring_down(g, at));
  LAR_TRY(lar_centre(g, at->eta, at->intercept, u));
  return g->family->value(g->self, &g->rows, at->eta, &at->loss);
}

static lar_status kinked(const lar_problem *g, lar_point *at, double *u) {
  if (g->family->null == NULL) return lar_fail(LAR_EARG, "%s has no null fit", g->family->name);
  LAR_TRY(g->family->null(g->self, &g->rows, g->offset, g->intercept, at->intercept, u));
  lar_predict(g, at->coef, at->intercept, at->eta);
  return g->family->value(g->self, &g->rows, at->eta, &at->loss);
}

static lar_status all_finite(const lar_problem *g, lar_point *at) {
  for (int64_t j = 0; j < g->x->p * g->rows.k; j++) {
    if (isfinite(at->corr[j])) continue;
    LAR_TRY(lar_design_check(g->x));
    return lar_fail(LAR_EMATH, "column %lld of x is too large: its product with y overflows",
                    (long long)(j % g->x->p) + 1);
  }
  at->corr_known = true;
  return LAR_OK;
}

/* u: the slopes by rows at `at`; at->corr: by coefficients. A NaN in x shows here. */
static lar_status correlate(const lar_problem *g, const double *u, lar_point *at) {
  lar_gradient(g, u, at->corr);
  return all_finite(g, at);
}

static double largest(const double *v, int64_t n) {
  double most = 0;
  for (int64_t i = 0; i < n; i++) most = fabs(v[i]) > most ? fabs(v[i]) : most;
  return most;
}

lar_status lar_null_fit(lar_problem *g, lar_design *x, lar_point *at) {
  int64_t n = g->x->n, p = g->x->p, k = g->rows.k;
  void *v;
  LAR_TRY(lar_alloc_raw(&v, (size_t)(n * k) + 1, sizeof(double)));
  double *u = v, first = 0;
  lar_status st = LAR_OK;
  memset(at->coef, 0, (size_t)(p * k) * sizeof(double));
  memset(at->intercept, 0, (size_t)k * sizeof(double));
  for (int64_t j = 0; j < p * k; j++) {
    if (g->lower != NULL && g->lower[j % p] > 0) at->coef[j] = g->lower[j % p];
    if (g->upper != NULL && g->upper[j % p] < 0) at->coef[j] = g->upper[j % p];
  }
  if (lar_family_kinked(g->family, g->self))
    LAR_GO(kinked(g, at, u));
  else
    LAR_GO(smooth(g, at, u, &first));
  if (!isfinite(at->loss))
    LAR_GO(lar_fail(LAR_EMATH,
                    "%s: the loss at the null fit is %g; are y and the offset in "
                    "range?",
                    g->family->name, at->loss));
  double least = g->family->saturated != NULL ? g->family->saturated(g->self, &g->rows) : 0;
  g->null_value = at->loss - least;
  bool squares = (g->family->traits & LAR_FAM_QUADRATIC) != 0 && k == 1;
  if (squares && lar_design_narrow(g->x)) {
    LAR_GO(lar_design_squares(x, g->rows.w, u, at->corr));
    LAR_GO(all_finite(g, at));
  } else {
    LAR_GO(correlate(g, u, at));
  }
  if (squares && g->null_value <= 1e-26 * first) { /* y is what rounding left of a constant */
    memset(at->corr, 0, (size_t)p * sizeof(double));
    g->null_value = 0;
  }
  g->null_slope = largest(at->corr, p * k);
done:
  lar_free(v);
  return st;
}

/* ---- lambda_max ---- */

/* Weights that leave in what is free and hold the rest; their number. */
static int64_t free_alone(const lar_scalar *s, double *factor) {
  int64_t n = 0;
  for (int64_t j = 0; j < s->p; j++) {
    bool free_one = lar_scalar_free(s, j);
    factor[j] = free_one ? 0 : HUGE_VAL;
    n += free_one;
  }
  return n;
}

static lar_status fit_free(const lar_problem *g, const lar_solver *solver, lar_point *at,
                           const double *factor) {
  lar_problem alone = *g;
  void *work = NULL;
  alone.factor = factor;
  alone.tol = g->tol * 1e-4;
  LAR_TRY(solver->open(&work, &alone));
  at->lambda = 1;
  lar_status st = solver->solve(work, &alone, HUGE_VAL, at);
  solver->close(work);
  lar_predict(g, at->coef, at->intercept, at->eta);
  return st;
}

static double curvature(const lar_problem *g, int64_t j, const double *h) {
  double one, two, scale = lar_design_scale(g->x, j), mean = lar_design_mean(g->x, j), all = 0;
  if (scale == 0) return 0;
  lar_design_moments(g->x, j, h, &one, &two);
  for (int64_t i = 0; i < g->x->n; i++) all += h[i];
  return (two - 2 * mean * one + mean * mean * all) / (scale * scale);
}

static double scalar_max(const lar_problem *g, const lar_scalar *s, const double *corr,
                         const double *h) {
  double most = 0;
  for (int64_t j = 0; j < g->x->p * g->rows.k; j++) {
    double c = s->other == NULL ? 1 : curvature(g, j % s->p, h + j / s->p * g->x->n);
    double l = lar_scalar_max(s, j % s->p, corr[j], c);
    most = l > most ? l : most;
  }
  return most;
}

static lar_status without_free(const lar_problem *g, const lar_solver *solver, lar_point *at,
                               const double *corr, double *out) {
  void *work = NULL;
  LAR_TRY(solver->open(&work, g));
  lar_status st = solver->max(work, g, corr, out);
  solver->close(work);
  return st;
}

lar_status lar_null_lambda_max(const lar_problem *g, const lar_solver *solver, lar_point *at,
                               double *out) {
  int64_t n = g->x->n, p = g->x->p, k = g->rows.k;
  lar_scalar s = {0};
  void *v = NULL;
  lar_status st = LAR_OK;
  *out = 0;
  LAR_TRY(lar_alloc_raw(&v, (size_t)(2 * n * k + p) + 1, sizeof(double)));
  double *u = v, *h = u + n * k, *factor = h + n * k, unused;
  if (lar_family_kinked(g->family, g->self))
    LAR_GO(g->family->null(g->self, &g->rows, g->offset, g->intercept, &unused, u));
  else
    LAR_GO(g->family->slopes(g->self, &g->rows, at->eta, u, h));
  if (solver->max != NULL) {
    LAR_GO(without_free(g, solver, at, at->corr, out));
    if (*out == HUGE_VAL) *out = 1e3 * largest(at->corr, p * k); /* where l2 would begin */
    goto done;
  }
  LAR_GO(lar_scalar_open(&s, g));
  int64_t loose = free_alone(&s, factor);
  if (loose > 0) {
    LAR_GO(fit_free(g, solver, at, factor));
    LAR_GO(g->family->slopes(g->self, &g->rows, at->eta, u, h));
    LAR_GO(correlate(g, u, at));
  }
  *out = scalar_max(g, &s, at->corr, h);
  if (loose == p && p > 0 && g->penalty != NULL && g->penalty->n > 0 && g->factor == NULL)
    LAR_GO(lar_fail(LAR_EARG, "%s has no strength to make a path of; give lambda",
                    g->penalty->at[0].term->name));
done:
  lar_scalar_close(&s);
  lar_free(v);
  return st;
}
