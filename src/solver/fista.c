/* Accelerated proximal gradient steps on all coefficients at once, for penalties that tie them
 * together. The step comes of backtracking; momentum starts anew where it leads uphill; the
 * intercepts have a step of their own. */
#include <string.h>

#include "core/interrupt.h"
#include "core/mem.h"
#include "solver/centre.h"
#include "solver/coefs.h"

/* At x: coefficients, intercepts and predictors. y: with momentum; z: the next x. */
typedef struct state {
  double *b, *b0, *eta;
} state;

typedef struct work {
  lar_coefs coefs;
  lar_reg *bounded; /* the penalty and the bounds */
  lar_problem g;    /* with that penalty */
  double *block;
  state x, y, z;
  double *slope, *grad, *grad0;
  double rate, rate0; /* 1 / step, of coefficients and intercepts */
  bool convex, loose; /* loose: a coefficient is free of the penalty */
} work;

/* ---- what it takes ---- */

static bool alike(const double *v, int64_t p) {
  for (int64_t j = 1; v != NULL && j < p; j++)
    if (v[j] != v[0]) return false;
  return true;
}

static lar_status check_terms(const lar_reg *r) {
  for (int i = 0; i < r->n; i++) {
    const lar_term *t = r->at[i].term;
    bool prox = t->type != NULL ? lar_penalty_has_prox(t->type) : t->prox_fn != NULL;
    if (!prox)
      return lar_fail(LAR_EARG, "solver 'fista' needs a prox, which penalty %s has not",
                      t->name);
  }
  return LAR_OK;
}

static lar_status fits(const lar_problem *g) {
  if (lar_family_kinked(g->family, g->self))
    return lar_fail(LAR_EARG,
                    "solver 'fista' needs a smooth loss; %s has kinks: give it a width",
                    g->family->name);
  LAR_TRY(check_terms(g->penalty));
  LAR_TRY(lar_reg_factors(g, "fista"));
  if (!alike(g->lower, g->x->p) || !alike(g->upper, g->x->p))
    return lar_fail(LAR_EARG,
                    "bounds that differ between columns (standardize scales them) do not "
                    "go with a penalty that ties coefficients: give all columns the same, "
                    "without standardize");
  return LAR_OK;
}

/* ---- opening ---- */

/* The sum r with a box, where there are bounds. */
static lar_status add_box(lar_reg **out, const lar_problem *g, lar_reg *of) {
  const lar_penalty *box = lar_penalty_find("box");
  lar_term *t;
  lar_reg *r;
  if (g->lower == NULL && g->upper == NULL) return lar_reg_scale(out, of, 1);
  LAR_TRY(lar_term_new(&t, box, "box"));
  lar_status st = lar_param_set(box->params, t->self, "bounds", "lo",
                                g->lower != NULL ? g->lower[0] : -HUGE_VAL);
  if (st == LAR_OK)
    st = lar_param_set(box->params, t->self, "bounds", "hi",
                       g->upper != NULL ? g->upper[0] : HUGE_VAL);
  if (st == LAR_OK) st = lar_reg_of(&r, t);
  lar_term_unref(t);
  LAR_TRY(st);
  st = lar_reg_add(out, of, r);
  lar_reg_unref(r);
  return st;
}

/* The penalty as the prox has it: with the weights of columns, and the bounds. */
static lar_status make_penalty(work *w, const lar_problem *g) {
  lar_reg *weighted;
  LAR_TRY(lar_reg_weighted(&weighted, g, &w->loose));
  lar_status st = add_box(&w->bounded, g, weighted);
  lar_reg_unref(weighted);
  return st;
}

static void shut(void *opened) {
  work *w = opened;
  if (w == NULL) return;
  lar_coefs_close(&w->coefs);
#pragma omp critical(lar_coefs)
  lar_reg_unref(w->bounded);
  lar_free(w->block);
  lar_free(w);
}

static double *take(double **at, int64_t n) {
  double *out = *at;
  *at += n;
  return out;
}

static lar_status open(void **out, const lar_problem *g) {
  const int64_t k = g->rows.k, m = g->x->p * k, n = g->x->n * k;
  void *made;
  lar_status st = LAR_OK;
  LAR_TRY(lar_alloc(&made, 1, sizeof(work)));
  work *w = made;
#pragma omp critical(lar_coefs)
  st = make_penalty(w, g);
  if (st != LAR_OK) goto done;
  w->g = *g;
  w->g.penalty = w->bounded;
  w->g.factor = NULL;
  LAR_GO(lar_coefs_open(&w->coefs, &w->g));
  LAR_GO(lar_alloc(&made, (size_t)(4 * m + 4 * n + 4 * k + 1), sizeof(double)));
  double *at = w->block = made;
  w->x = (state){take(&at, m), take(&at, k), take(&at, n)};
  w->y = (state){take(&at, m), take(&at, k), take(&at, n)};
  w->z = (state){w->coefs.b, take(&at, k), take(&at, n)};
  w->slope = take(&at, n), w->grad = take(&at, m), w->grad0 = take(&at, k);
  w->convex = lar_reg_all(w->bounded, LAR_CONVEX) && (g->family->traits & LAR_FAM_CONVEX) != 0;
  w->rate = w->rate0 = 1;
done:
  if (st == LAR_OK)
    *out = w;
  else
    shut(w);
  return st;
}

/* ---- one step ---- */

static void copy(double *to, const double *from, int64_t n) {
  memcpy(to, from, (size_t)n * sizeof *to);
}

static void copy_state(const lar_problem *g, const state *to, const state *from) {
  copy(to->b, from->b, g->x->p * g->rows.k);
  copy(to->b0, from->b0, g->rows.k);
  copy(to->eta, from->eta, g->x->n * g->rows.k);
}

/* Value and gradient at s. */
static lar_status look(work *w, const state *s, double *value) {
  const lar_problem *g = &w->g;
  LAR_TRY(g->family->value(g->self, &g->rows, s->eta, value));
  LAR_TRY(g->family->slopes(g->self, &g->rows, s->eta, w->slope, NULL));
  lar_gradient(g, w->slope, w->grad);
  for (int64_t c = 0; c < g->rows.k; c++)
    w->grad0[c] = g->intercept ? lar_total(w->slope + c * g->x->n, g->x->n) : 0;
  return LAR_OK;
}

/* z = the proximal step from y. */
static lar_status propose(work *w) {
  const lar_problem *g = &w->g;
  const int64_t k = g->rows.k, m = g->x->p * k;
  for (int64_t j = 0; j < m; j++) w->z.b[j] = w->y.b[j] - w->grad[j] / w->rate;
  LAR_TRY(lar_coefs_prox(&w->coefs, 1 / w->rate));
  for (int64_t c = 0; c < k; c++) w->z.b0[c] = w->y.b0[c] - w->grad0[c] / w->rate0;
  lar_predict(g, w->z.b, w->z.b0, w->z.eta);
  return LAR_OK;
}

/* What the quadratic above F at y says of z, without F(y). */
static double promise(const work *w) {
  const int64_t k = w->g.rows.k, m = w->g.x->p * k;
  double sum = 0, square = 0, square0 = 0;
  for (int64_t j = 0; j < m; j++) {
    double d = w->z.b[j] - w->y.b[j];
    sum += w->grad[j] * d;
    square += d * d;
  }
  for (int64_t c = 0; c < k; c++) {
    double d = w->z.b0[c] - w->y.b0[c];
    sum += w->grad0[c] * d;
    square0 += d * d;
  }
  return sum + (w->rate * square + w->rate0 * square0) / 2;
}

/* A step from y that keeps its promise. */
static lar_status step(work *w) {
  enum { DOUBLES = 100 };
  const lar_problem *g = &w->g;
  double before, after;
  LAR_TRY(look(w, &w->y, &before));
  for (int k = 0; k < DOUBLES; k++) {
    LAR_TRY(propose(w));
    LAR_TRY(g->family->value(g->self, &g->rows, w->z.eta, &after));
    if (after <= before + promise(w) + 1e-14 * fabs(before)) return LAR_OK;
    w->rate *= 2;
    w->rate0 *= 2;
  }
  return LAR_OK;
}

/* The largest |y - z| in units of gradients. */
static double moved(const work *w) {
  const int64_t k = w->g.rows.k, m = w->g.x->p * k;
  double most = 0;
  for (int64_t j = 0; j < m; j++) most = fmax(most, w->rate * fabs(w->z.b[j] - w->y.b[j]));
  for (int64_t c = 0; c < k; c++) most = fmax(most, w->rate0 * fabs(w->z.b0[c] - w->y.b0[c]));
  return most;
}

/* y = z + momentum (z - x); x = z. */
static void follow(work *w, double momentum) {
  const int64_t k = w->g.rows.k, m = w->g.x->p * k, n = w->g.x->n * k;
  for (int64_t j = 0; j < m; j++) w->y.b[j] = w->z.b[j] + momentum * (w->z.b[j] - w->x.b[j]);
  for (int64_t c = 0; c < k; c++)
    w->y.b0[c] = w->z.b0[c] + momentum * (w->z.b0[c] - w->x.b0[c]);
  for (int64_t i = 0; i < n; i++)
    w->y.eta[i] = w->z.eta[i] + momentum * (w->z.eta[i] - w->x.eta[i]);
  copy_state(&w->g, &w->x, &w->z);
}

/* Does the momentum lead against the step? */
static bool uphill(const work *w) {
  const int64_t m = w->g.x->p * w->g.rows.k;
  double sum = 0;
  for (int64_t j = 0; j < m; j++) sum += (w->y.b[j] - w->z.b[j]) * (w->z.b[j] - w->x.b[j]);
  return sum > 0;
}

/* ---- certificates ---- */

/* sup over the set of a constraint of <-grad, b>: the projection of a far point. */
static lar_status support(work *w, double *out) {
  const int64_t m = w->g.x->p * w->g.rows.k;
  const double far = 1e8 / fmax(w->g.null_slope, 1e-300);
  *out = 0;
  for (int64_t j = 0; j < m; j++) w->coefs.b[j] = -far * w->grad[j];
  LAR_TRY(lar_coefs_prox(&w->coefs, 1));
  for (int64_t j = 0; j < m; j++) *out -= w->grad[j] * w->coefs.b[j];
  return LAR_OK;
}

/* The gap of constraints whose set is bounded: <grad, b> + support. */
static lar_status gap_of_set(work *w, double *gap) {
  const int64_t m = w->g.x->p * w->g.rows.k;
  LAR_TRY(support(w, gap));
  for (int64_t j = 0; j < m; j++) *gap += w->grad[j] * w->x.b[j];
  return LAR_OK;
}

/* The gap of a norm: the slopes scaled until the dual norm allows them. Without strength there
 * is none. */
static lar_status gap_of_norm(work *w, double value, double *gap) {
  const lar_problem *g = &w->g;
  const int64_t m = g->x->p * g->rows.k, n = g->x->n * g->rows.k;
  double least, conjugate, shift = 0, l = lar_bound_lambda(w->coefs.bound, 0);
  if (l == 0) return LAR_OK;
  copy(w->coefs.b, w->grad, m);
  LAR_TRY(lar_bound_max(w->coefs.bound, 0, &least));
  double s = least > l ? l / least : 1;
  for (int64_t i = 0; i < n; i++) w->slope[i] *= s;
  conjugate = g->family->conjugate(g->self, &g->rows, w->slope);
  for (int64_t i = 0; g->offset != NULL && i < n; i++) shift += w->slope[i] * g->offset[i];
  *gap = value + conjugate - shift;
  return LAR_OK;
}

static bool is_norm(const lar_reg *r) {
  if (r->n != 1 || r->at[0].term->type == NULL) return false;
  const lar_penalty *p = r->at[0].term->type;
  if ((p->traits & (LAR_KNEE | LAR_CONSTRAINT)) != 0 || !(p->traits & LAR_CONVEX)) return false;
  return (p->traits & LAR_NORM) != 0 || strcmp(p->name, "slope") == 0 ||
         strcmp(p->name, "l1") == 0 || strcmp(p->name, "group_lasso") == 0;
}

static bool is_bounded_set(const lar_reg *r) {
  static const char *const sets[] = {"l1_ball", "l2_ball", "linf_ball", "simplex", NULL};
  if (r->n != 1 || r->at[0].term->type == NULL) return false;
  for (int i = 0; sets[i] != NULL; i++)
    if (strcmp(r->at[0].term->type->name, sets[i]) == 0) return true;
  return false;
}

/* x as the result: intercepts made exact, then loss, value, distance and gap. */
static lar_status certify(work *w, lar_point *at) {
  const lar_problem *g = &w->g;
  const int64_t m = g->x->p * g->rows.k;
  double penalty, gap = (double)NAN, most = 0;
  LAR_TRY(lar_centre(g, w->x.eta, w->x.b0, w->slope));
  LAR_TRY(g->family->value(g->self, &g->rows, w->x.eta, &at->loss));
  lar_gradient(g, w->slope, w->grad);
  copy(w->coefs.b, w->x.b, m);
  LAR_TRY(lar_coefs_value(&w->coefs, &penalty));
  at->value = at->loss + penalty;
  for (int64_t j = 0; j < m; j++) w->coefs.b[j] = w->x.b[j] - w->grad[j] / w->rate;
  LAR_TRY(lar_coefs_prox(&w->coefs, 1 / w->rate));
  for (int64_t j = 0; j < m; j++) most = fmax(most, w->rate * fabs(w->x.b[j] - w->coefs.b[j]));
  at->kkt = most / (g->null_slope > 0 ? g->null_slope : 1);
  if (w->convex && is_bounded_set(w->bounded))
    LAR_TRY(gap_of_set(w, &gap));
  else if (w->convex && !w->loose && is_norm(w->bounded) && g->family->conjugate != NULL)
    LAR_TRY(gap_of_norm(w, at->value, &gap));
  at->gap = isnan(gap) ? gap : fmax(gap, 0) / (g->null_value > 0 ? g->null_value : 1);
  return LAR_OK;
}

static bool good(const lar_problem *g, const lar_point *at) {
  return isnan(at->gap) ? at->kkt <= g->tol : at->gap <= g->tol;
}

/* ---- a point ---- */

static lar_status start(work *w, const lar_point *at) {
  const lar_problem *g = &w->g;
  const int64_t m = g->x->p * g->rows.k;
  LAR_TRY(lar_coefs_set(&w->coefs, at->lambda));
  copy(w->z.b, at->coef, m);
  LAR_TRY(lar_coefs_prox(&w->coefs, 1e-12)); /* into the constraints */
  copy(w->z.b0, at->intercept, g->rows.k);
  lar_predict(g, w->z.b, w->z.b0, w->z.eta);
  copy_state(g, &w->x, &w->z);
  copy_state(g, &w->y, &w->z);
  w->rate = fmax(w->rate / 4, 1e-8);
  w->rate0 = w->rate0 / 4;
  return LAR_OK;
}

static lar_status iterate(work *w, lar_point *at) {
  enum { LOOK = 50 };
  const lar_problem *g = &w->g;
  const double fine = g->tol * (g->null_slope > 0 ? g->null_slope : 1);
  double t = 1, trigger = fine;
  int64_t looked = 0;
  for (at->iterations = 0; at->iterations < g->max_iter; at->iterations++) {
    if (lar_interrupt_pending()) {
      at->status = LAR_INTERRUPTED;
      break;
    }
    LAR_TRY(step(w));
    double far = moved(w), next = w->convex ? (1 + sqrt(1 + 4 * t * t)) / 2 : 1;
    if (uphill(w)) next = t = 1;
    follow(w, w->convex ? (t - 1) / next : 0);
    t = next;
    if (far > trigger && at->iterations - looked < LOOK) continue;
    looked = at->iterations;
    LAR_TRY(certify(w, at));
    if (good(g, at)) {
      at->status = LAR_CONVERGED;
      return LAR_OK;
    }
    if (far <= trigger) trigger /= 4;
    copy_state(g, &w->y, &w->x);
    if (far <= 1e-15 * g->null_slope) break; /* no step left in double precision */
  }
  return certify(w, at);
}

static lar_status solve(void *opened, const lar_problem *g, double previous, lar_point *at) {
  work *w = opened;
  const int64_t k = g->rows.k, m = g->x->p * k;
  at->status = LAR_MAX_ITER;
  LAR_TRY(start(w, at));
  LAR_TRY(iterate(w, at));
  copy(at->coef, w->x.b, m);
  copy(at->intercept, w->x.b0, k);
  copy(at->eta, w->x.eta, g->x->n * k);
  at->df = lar_coefs_df(at->coef, g->x->p, k);
  return LAR_OK;
}

/* Where something is free, slopes are those of its fit alone: at a strength that holds the
 * rest. */
static lar_status fit_free(work *w, double lambda) {
  const lar_problem *g = &w->g;
  const int64_t k = g->rows.k, m = g->x->p * k, n = g->x->n * k;
  void *p;
  LAR_TRY(lar_alloc(&p, (size_t)(m + k + n) + 1, sizeof(double)));
  lar_point at = {.lambda = lambda, .coef = p};
  at.intercept = at.coef + m, at.eta = at.intercept + k;
  const double tol = w->g.tol;
  w->g.tol = tol * 1e-4;
  lar_status st = solve(w, g, HUGE_VAL, &at);
  w->g.tol = tol;
  lar_free(p);
  return st;
}

static lar_status max(void *opened, const lar_problem *g, const double *corr, double *out) {
  work *w = opened;
  const int64_t m = g->x->p * g->rows.k;
  copy(w->coefs.b, corr, m);
  LAR_TRY(lar_coefs_max(&w->coefs, out));
  if (!w->loose || *out == HUGE_VAL) return LAR_OK;
  LAR_TRY(fit_free(w, *out > 0 ? *out * 1e3 : 1));
  copy(w->coefs.b, w->grad, m);
  return lar_coefs_max(&w->coefs, out);
}

LAR_ENTRY(solver, fista) = {
  .name = "fista",
  .doc = "accelerated proximal gradient: any smooth loss, any penalty with a prox",
  .source = "Beck & Teboulle 2009, SIAM J. Imaging Sci. 2(1); restart: O'Donoghue & Candes "
            "2015, Found. Comput. Math. 15",
  .rank = 1,
  .fits = fits,
  .open = open,
  .solve = solve,
  .close = shut,
  .max = max,
};
