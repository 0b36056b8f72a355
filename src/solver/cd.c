#include <math.h>
#include <string.h>

#include "core/interrupt.h"
#include "core/mem.h"
#include "solver/dual.h"

/* The quadratic model of F around a point, minimised by coordinates. rest = -(slope of the
 * model) by rows, up to a multiple of h: rest + shift h is the whole. */
typedef struct work {
  lar_scalar s;
  double *g, *h, *rest, *move;     /* n */
  double *corr, *b, *mean, *curve; /* p */
  double shift, weight;            /* weight: sum h */
  double *block;
} work;

static lar_status fits(const lar_problem *g) {
  if (g->rows.k != 1)
    return lar_fail(LAR_EARG, "solver 'cd' takes one predictor a row; %s has %lld",
                    g->family->name, (long long)g->rows.k);
  if (g->family->slopes == NULL || lar_family_kinked(g->family, g->self))
    return lar_fail(LAR_EARG, "solver 'cd' needs a smooth loss; %s is not", g->family->name);
  return lar_scalar_fits(g, "cd");
}

static void shut(void *p) {
  work *w = p;
  if (w == NULL) return;
  lar_scalar_close(&w->s);
  lar_free(w->block);
  lar_free(w);
}

static lar_status start(void **out, const lar_problem *g) {
  void *v;
  LAR_TRY(lar_alloc(&v, 1, sizeof(work)));
  work *w = v;
  lar_status st = LAR_OK;
  int64_t n = g->x->n, p = g->x->p;
  LAR_GO(lar_scalar_open(&w->s, g));
  LAR_GO(lar_alloc(&v, (size_t)(4 * (n + p)) + 1, sizeof(double)));
  w->block = v;
  w->g = w->block, w->h = w->g + n, w->rest = w->h + n, w->move = w->rest + n;
  w->corr = w->move + n, w->b = w->corr + p, w->mean = w->b + p, w->curve = w->mean + p;
done:
  if (st != LAR_OK) shut(w);
  *out = st == LAR_OK ? w : NULL;
  return st;
}

static double sum_of(int64_t n, const double *v) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += v[i];
  return sum;
}

/* The intercept that is best for these coefficients, by Newton's method. */
static lar_status centre(work *w, const lar_problem *g, lar_point *at) {
  int64_t n = g->x->n;
  for (int k = 0; k < 100; k++) {
    LAR_TRY(g->family->slopes(g->self, &g->rows, at->eta, w->g, w->h));
    w->weight = sum_of(n, w->h);
    double slope = sum_of(n, w->g);
    if (!g->intercept || !(w->weight > 0) || fabs(slope) <= 1e-15) break;
    double step = -slope / w->weight;
    step = step > 2 ? 2 : step < -2 ? -2 : step;
    at->intercept[0] += step;
    for (int64_t i = 0; i < n; i++) at->eta[i] += step;
    if (fabs(step) < 1e-14) break;
  }
  return g->family->value(g->self, &g->rows, at->eta, &at->loss);
}

/* Curvatures of the model, and means of columns in its metric. */
static void measure(work *w, const lar_problem *g) {
  for (int64_t j = 0; j < g->x->p; j++) {
    double one, two, scale = lar_design_scale(g->x, j);
    lar_design_moments(g->x, j, w->h, &one, &two);
    double mean = g->intercept ? one / w->weight : lar_design_mean(g->x, j);
    w->mean[j] = mean;
    double square =
      g->intercept ? two - mean * one : two - 2 * mean * one + mean * mean * w->weight;
    w->curve[j] = scale == 0 || lar_scalar_held(&w->s, j) ? 0 : square / (scale * scale);
  }
}

/* One round over the coefficients; the most that one moved, in the metric. */
static double sweep(work *w, const lar_problem *g) {
  double most = 0;
  for (int64_t j = 0; j < g->x->p; j++) {
    double c = w->curve[j];
    if (!(c > 1e-300)) continue;
    double scale = lar_design_scale(g->x, j), old = w->b[j];
    double total = w->shift * w->weight;
    double slope = g->intercept ? w->shift * w->mean[j] * w->weight : -w->mean[j] * total;
    slope = (lar_design_dot(g->x, j, w->rest) + slope) / scale;
    w->b[j] = lar_scalar_prox(&w->s, j, old + slope / c, 1 / c);
    double d = w->b[j] - old;
    if (d == 0) continue;
    lar_design_axpy(g->x, j, -d / scale, w->h, w->rest);
    w->shift += d / scale * w->mean[j];
    most = fmax(most, d * d * c);
  }
  return most;
}

static double penalty_of(const work *w, const double *b) {
  double sum = 0;
  for (int64_t j = 0; j < w->s.p; j++)
    if (b[j] != 0 || w->s.lo != NULL) sum += lar_scalar_value(&w->s, j, b[j]);
  return sum;
}

/* From at towards b as far as the objective falls. */
static lar_status advance(work *w, const lar_problem *g, lar_point *at) {
  int64_t n = g->x->n, p = g->x->p;
  double before = at->loss + penalty_of(w, at->coef), t = 1, *old = w->rest;
  memcpy(old, at->eta, (size_t)n * sizeof *old);
  for (int64_t j = 0; j < p; j++) w->corr[j] = w->b[j] - at->coef[j];
  lar_design_mul(g->x, w->corr, 0, w->move);
  for (int k = 0; k < 30; k++, t /= 2) {
    for (int64_t i = 0; i < n; i++) at->eta[i] = old[i] + t * w->move[i];
    for (int64_t j = 0; j < p; j++) w->b[j] = at->coef[j] + t * w->corr[j];
    LAR_TRY(centre(w, g, at));
    if (at->loss + penalty_of(w, w->b) <= before + 1e-15 * fabs(before)) break;
  }
  memcpy(at->coef, w->b, (size_t)p * sizeof *w->b);
  return LAR_OK;
}

static bool certified(work *w, const lar_problem *g, lar_point *at) {
  lar_design_tmul(g->x, w->g, sum_of(g->x->n, w->g), NULL, 0, w->corr);
  lar_certify(g, &w->s, w->g, w->corr, w->move, at);
  at->gap /= g->null_value > 0 ? g->null_value : 1;
  at->kkt /= g->null_slope > 0 ? g->null_slope : 1;
  return isnan(at->gap) ? at->kkt <= g->tol : at->gap <= g->tol;
}

static lar_status solve(void *work_, const lar_problem *g, double previous, lar_point *at) {
  work *w = work_;
  int64_t n = g->x->n, p = g->x->p;
  w->s.lambda = at->lambda;
  at->status = LAR_MAX_ITER;
  at->iterations = 0;
  LAR_TRY(centre(w, g, at));
  for (int64_t j = 0; j < p; j++) w->b[j] = at->coef[j];
  for (int64_t outer = 0; at->iterations < g->max_iter; outer++) {
    if (certified(w, g, at)) {
      at->status = LAR_CONVERGED;
      return LAR_OK;
    }
    if (lar_interrupt_pending()) {
      at->status = LAR_INTERRUPTED;
      return LAR_OK;
    }
    measure(w, g);
    for (int64_t i = 0; i < n; i++) w->rest[i] = -w->g[i];
    w->shift = 0;
    memcpy(w->b, at->coef, (size_t)p * sizeof *w->b);
    for (int k = 0; k < 50 && at->iterations < g->max_iter; k++) {
      at->iterations++;
      if (sweep(w, g) <= 1e-4 * g->tol * g->null_value) break;
    }
    LAR_TRY(advance(w, g, at));
  }
  (void)certified(w, g, at);
  return LAR_OK;
}

LAR_ENTRY(solver, cd) = {
  .name = "cd",
  .doc = "coordinate descent on quadratic models",
  .source = "Friedman, Hastie & Tibshirani 2010, J. Stat. Softw. 33(1), sec. 2; Lee, Sun & "
            "Saunders 2014, SIAM J. Optim. 24(3)",
  .rank = 10,
  .fits = fits,
  .open = start,
  .solve = solve,
  .close = shut,
};
