#include "glm/path.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "glm/null.h"
#include "solver/coefs.h"
#include "solver/lars.h"

enum { LEAST_POINTS = 5 }; /* before a path may end early */

/* A problem made ready: standardised, with bounds on that scale, at its null fit. */
typedef struct fit {
  lar_problem g;
  lar_design z;
  const lar_solver *solver;
  double *block, *weights;
  lar_point at;
  bool ready;
} fit;

static void shut(fit *f) {
  if (f->ready && f->g.family->unready != NULL) f->g.family->unready(&f->g.rows);
  lar_design_clear(&f->z);
  lar_free(f->block);
  lar_free(f->weights);
}

static lar_status check(const lar_problem *g) {
  if (g->x->n == 0) return lar_fail(LAR_EARG, "x has no rows");
  for (int64_t j = 0; j < g->x->p; j++) {
    if (g->factor != NULL && !(g->factor[j] >= 0))
      return lar_fail(LAR_EARG, "column %lld has the weight %g; weights are 0 or more",
                      (long long)j + 1, g->factor[j]);
    double lo = g->lower != NULL ? g->lower[j] : -HUGE_VAL;
    double hi = g->upper != NULL ? g->upper[j] : HUGE_VAL;
    if (!(lo <= hi))
      return lar_fail(LAR_EARG, "column %lld has no room: its lower bound %g is above %g",
                      (long long)j + 1, lo, hi);
  }
  return LAR_OK;
}

static lar_status weigh(fit *f) {
  int64_t n = f->g.x->n;
  const double *from = f->g.rows.w;
  double sum = 0;
  void *v;
  LAR_TRY(lar_alloc_raw(&v, (size_t)n, sizeof(double)));
  f->weights = v;
  for (int64_t i = 0; i < n; i++) {
    f->weights[i] = from != NULL ? from[i] : 1;
    if (!(f->weights[i] >= 0 && f->weights[i] < HUGE_VAL))
      return lar_fail(LAR_EARG, "row %lld has the weight %g; weights are 0 or more, and finite",
                      (long long)i + 1, f->weights[i]);
    sum += f->weights[i];
  }
  if (!(sum > 0 && sum < HUGE_VAL))
    return lar_fail(LAR_EARG, "the weights of the rows add up to %g", sum);
  for (int64_t i = 0; i < n; i++) f->weights[i] /= sum;
  f->g.rows.w = f->weights;
  return LAR_OK;
}

/* Bounds of the coefficients of z. */
static void scale_bounds(fit *f, const lar_problem *from, double *lower, double *upper) {
  for (int64_t j = 0; j < f->z.p; j++) {
    double scale = lar_design_scale(&f->z, j);
    if (scale == 0) scale = 1;
    if (from->lower != NULL) lower[j] = from->lower[j] * scale;
    if (from->upper != NULL) upper[j] = from->upper[j] * scale;
  }
  if (from->lower != NULL) f->g.lower = lower;
  if (from->upper != NULL) f->g.upper = upper;
}

/* A loss that constants do not change has no intercept, and columns may be centred for it. */
static bool shifts(const lar_problem *g) { return (g->family->traits & LAR_FAM_SHIFTS) != 0; }

static lar_status prepare(fit *f, const lar_path_ask *ask) {
  lar_status st = LAR_OK;
  void *v;
  *f = (fit){.g = ask->problem};
  LAR_TRY(check(&f->g));
  if (shifts(&f->g)) f->g.intercept = false;
  LAR_GO(weigh(f));
  if (f->g.family->ready != NULL) LAR_GO(f->g.family->ready(f->g.self, &f->g.rows));
  f->ready = true;
  LAR_GO(lar_design_standardised(&f->z, ask->problem.x, f->g.rows.w,
                                 f->g.intercept || shifts(&f->g), ask->standardize));
  f->g.x = &f->z;
  int64_t n = f->z.n, p = f->z.p, k = f->g.rows.k;
  LAR_GO(lar_alloc(&v, (size_t)((n + 2 * p + 1) * k + 2 * p) + 1, sizeof(double)));
  f->block = v;
  f->at.coef = f->block, f->at.intercept = f->at.coef + p * k, f->at.eta = f->at.intercept + k;
  f->at.corr = f->at.eta + n * k;
  scale_bounds(f, &ask->problem, f->at.corr + p * k, f->at.corr + p * k + p);
  LAR_GO(lar_solver_choose(&f->solver, &f->g, ask->solver));
  LAR_GO(lar_null_fit(&f->g, &f->z, &f->at));
done:
  if (st != LAR_OK) shut(f);
  return st;
}

lar_status lar_path_lambda_max(const lar_path_ask *ask, double *out) {
  fit f;
  LAR_TRY(prepare(&f, ask));
  lar_status st = lar_null_lambda_max(&f.g, f.solver, &f.at, out);
  shut(&f);
  return st;
}

lar_status lar_path_knots(const lar_path_ask *ask, double share, int64_t most, double **out,
                          int64_t *n) {
  fit f;
  lar_path_ask by_lars = *ask;
  by_lars.solver = "lars";
  *out = NULL;
  LAR_TRY(prepare(&f, &by_lars));
  lar_status st = lar_lars_knots(&f.g, share, most, out, n);
  shut(&f);
  return st;
}

/* ---- the grid ---- */

static lar_status given(lar_path *out, const lar_path_ask *ask) {
  for (int64_t l = 0; l < ask->n_lambda; l++) {
    double now = ask->lambda[l];
    if (!(now >= 0 && now < HUGE_VAL))
      return lar_fail(LAR_EARG, "lambda %lld is %g; strengths are finite and not negative",
                      (long long)l + 1, now);
    if (l > 0 && now > ask->lambda[l - 1])
      return lar_fail(LAR_EARG, "lambda rises from %g to %g; give it falling",
                      ask->lambda[l - 1], now);
    out->lambda[l] = now;
  }
  return LAR_OK;
}

static void spaced(lar_path *out, const lar_path_ask *ask, const lar_design *x) {
  double ratio = ask->min_ratio > 0 ? ask->min_ratio : x->n >= x->p ? 1e-4 : 1e-2;
  double top = out->lambda_max > 0 ? out->lambda_max : 1;
  for (int64_t l = 0; l < ask->n_lambda; l++) {
    double share = ask->n_lambda > 1 ? (double)l / (double)(ask->n_lambda - 1) : 0;
    out->lambda[l] = top * pow(ratio, share);
  }
}

static lar_status grid(lar_path *out, const lar_path_ask *ask, fit *f) {
  if (ask->lambda != NULL) return given(out, ask);
  out->lambda_max = ask->lambda_max;
  if (!(out->lambda_max > 0))
    LAR_TRY(lar_null_lambda_max(&f->g, f->solver, &f->at, &out->lambda_max));
  spaced(out, ask, f->g.x);
  return LAR_OK;
}

/* ---- results ---- */

static lar_status room(lar_path *out, int64_t n) {
  void *v;
  size_t points = (size_t)n + 1;
  LAR_TRY(lar_tensor_init(&out->coefs, LAR_F64, 3, (int64_t[]){n, out->k, out->p}));
  out->coef = lar_tensor_data(&out->coefs);
  LAR_TRY(lar_alloc_raw(&v, points * ((size_t)out->k + 6), sizeof(double)));
  out->lambda = v;
  out->loss = out->lambda + points, out->value = out->loss + points;
  out->gap = out->value + points, out->kkt = out->gap + points;
  out->dev_ratio = out->kkt + points, out->intercept = out->dev_ratio + points;
  LAR_TRY(lar_alloc_raw(&v, points * 2, sizeof(int64_t)));
  out->df = v, out->iterations = out->df + points;
  LAR_TRY(lar_alloc_raw(&v, points, 1));
  out->status = v;
  return LAR_OK;
}

void lar_path_clear(lar_path *p) {
  lar_tensor_clear(&p->coefs);
  lar_free(p->lambda);
  lar_free(p->df);
  lar_free(p->status);
  *p = (lar_path){0};
}

/* The coefficients of x: z_j b_j = x_j b_j / scale_j - mean_j b_j / scale_j. */
static void record(lar_path *out, const fit *f, int64_t l) {
  const lar_point *at = &f->at;
  int64_t p = out->p;
  for (int64_t c = 0; c < out->k; c++) {
    double b0 = at->intercept[c], *to = out->coef + (l * out->k + c) * p;
    for (int64_t j = 0; j < p; j++) {
      double b = at->coef[c * p + j], scale = lar_design_scale(&f->z, j);
      to[j] = b == 0 || scale == 0 ? 0 : b / scale;
      if (to[j] != 0) b0 -= lar_design_mean(&f->z, j) * to[j];
    }
    out->intercept[l * out->k + c] = shifts(&f->g) ? 0 : b0;
  }
  double least = out->null_value - out->null_deviance / 2;
  out->loss[l] = at->loss, out->value[l] = at->value;
  out->gap[l] = at->gap, out->kkt[l] = at->kkt;
  out->df[l] = at->df, out->iterations[l] = at->iterations;
  out->status[l] = (unsigned char)at->status;
  out->dev_ratio[l] =
    out->null_deviance > 0 ? 1 - 2 * (at->loss - least) / out->null_deviance : 0;
}

/* Do fits move wherever the strength does? Not where they jump (kinks, penalties that are not
 * convex: both rest in between), and not in a set that no strength changes. */
static bool moves(const lar_problem *g) {
  return !lar_family_kinked(g->family, g->self) && lar_reg_all(g->penalty, LAR_CONVEX);
}

/* Nothing is left to explain, or a step explains next to nothing more. */
static bool explained(const lar_path *out, const lar_problem *g, int64_t l) {
  double now = out->dev_ratio[l];
  if (l + 1 < LEAST_POINTS) return false;
  return now > 0.999 || (moves(g) && now - out->dev_ratio[l - 1] < 1e-5 * now);
}

static lar_status sound(const lar_point *at) {
  if (isfinite(at->loss) && isfinite(at->value)) return LAR_OK;
  return lar_fail(LAR_EMATH,
                  "the fit at lambda = %g overflows; bring the columns of x (standardize = "
                  "true) or y to scale",
                  at->lambda);
}

static lar_status walk(lar_path *out, const lar_path_ask *ask, fit *f,
                       lar_status (*each)(void *ctx, int64_t l, const lar_point *at),
                       void *ctx) {
  void *work = NULL;
  double previous = HUGE_VAL;
  LAR_TRY(f->solver->open(&work, &f->g));
  lar_status st = LAR_OK;
  for (int64_t l = 0; l < ask->n_lambda; l++) {
    f->at.lambda = out->lambda[l];
    LAR_GO(f->solver->solve(work, &f->g, previous, &f->at));
    LAR_GO(sound(&f->at));
    f->at.corr_known = false;
    previous = f->at.lambda;
    if (ask->early_end && ask->lambda == NULL) {
      record(out, f, l);
      if (explained(out, &f->g, l) && f->at.status == LAR_CONVERGED && l + 1 < ask->n_lambda)
        f->at.status = LAR_SATURATED;
    }
    record(out, f, l);
    out->n = l + 1;
    if (each != NULL) LAR_GO(each(ctx, l, &f->at));
    if (f->at.status >= LAR_SATURATED) break;
  }
done:
  f->solver->close(work);
  return st;
}

lar_status lar_path_fit(lar_path *out, const lar_path_ask *ask,
                        lar_status (*each)(void *ctx, int64_t l, const lar_point *at),
                        void *ctx) {
  fit f;
  *out = (lar_path){.p = ask->problem.x->p, .k = ask->problem.rows.k};
  LAR_TRY(prepare(&f, ask));
  lar_status st = LAR_OK;
  double deviance = 2 * f.g.null_value;
  LAR_GO(room(out, ask->n_lambda));
  out->null_deviance = deviance;
  out->null_value = f.at.loss;
  out->solver = f.solver;
  LAR_GO(grid(out, ask, &f));
  LAR_GO(walk(out, ask, &f, each, ctx));
done:
  shut(&f);
  if (st != LAR_OK) lar_path_clear(out);
  return st;
}
