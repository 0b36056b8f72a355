/* Coordinate descent and Newton's method on a working set that grows: coefficients that are
 * not 0, and those that a look at all columns says should not be. */
#include <math.h>
#include <string.h>

#include "core/interrupt.h"
#include "core/mem.h"
#include "solver/cd.h"
#include "solver/dual.h"

static lar_status fits(const lar_problem *g) {
  if (g->rows.k != 1)
    return lar_fail(LAR_EARG, "solver 'cd' takes one predictor a row; %s has %lld",
                    g->family->name, (long long)g->rows.k);
  if (g->family->slopes == NULL || lar_family_kinked(g->family, g->self))
    return lar_fail(LAR_EARG, "solver 'cd' needs a smooth loss; %s is not", g->family->name);
  return lar_scalar_fits(g, "cd");
}

static void shut(void *p) {
  lar_cd *w = p;
  if (w == NULL) return;
  lar_scalar_close(&w->s);
  lar_quad_close(&w->q);
  lar_look_close(&w->seen);
  lar_witness_close(&w->past);
  lar_pivot_close(&w->pivot);
  lar_free(w->block);
  lar_free(w);
}

/* Are columns so sparse that moving along one costs less than along a row of a Gram matrix? A
 * family whose steps are joint has no other way. */
static bool sparse_enough(const lar_problem *g) {
  enum { SHARE = 4 };
  const lar_sparse *x = g->x->sparse;
  if (x == NULL || g->family->joint != NULL) return false;
  return SHARE * (double)lar_sparse_nnz(x) < (double)x->p * fmin((double)x->n, (double)x->p);
}

static const double MOST_FLOOR = 1e-3, LEAST_FLOOR = 1e-12;

static lar_status start(void **out, const lar_problem *g) {
  void *v;
  *out = NULL;
  LAR_TRY(lar_alloc(&v, 1, sizeof(lar_cd)));
  lar_cd *w = v;
  lar_status st = LAR_OK;
  int64_t n = g->x->n, p = g->x->p;
  w->goal = -HUGE_VAL;
  w->damp = 1, w->floor = MOST_FLOOR, w->dual_at = -1;
  LAR_GO(lar_scalar_open(&w->s, g));
  LAR_GO(lar_quad_open(&w->q, g->x, g->intercept));
  LAR_GO(lar_look_open(&w->seen, g->x));
  if (sparse_enough(g)) LAR_GO(lar_quad_by_rows(&w->q, true));
  bool curves = w->s.other != NULL;
  LAR_GO(lar_alloc_raw(&v, (size_t)(5 * n + p + (curves ? p : 0)) + 1, sizeof(double)));
  w->block = v;
  w->u = w->block, w->h = w->u + n, w->scratch = w->h + n, w->move = w->scratch + n;
  w->metric = w->move + n;
  w->corr = w->metric + n, w->curve = curves ? w->corr + p : NULL;
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

/* Rows on a straight piece of a loss with bounded curvature still get a little of it: of
 * classes that separate, whose curvature fades, no more than steps need. */
static void temper(lar_cd *w, const lar_problem *g) {
  double most = g->family->bound != NULL ? g->family->bound(g->self) : 0;
  bool bounded = most > 0 && most < HUGE_VAL;
  for (int64_t i = 0; bounded && i < g->x->n; i++)
    w->h[i] = fmax(w->h[i], w->floor * most * g->rows.w[i]);
  for (int64_t i = 0; w->damp > 1 && i < g->x->n; i++) w->h[i] *= w->damp;
}

/* Newton's method on a slope that rises, between a point where it is negative and one where it
 * is not. */
lar_status lar_cd_centre(lar_cd *w, const lar_problem *g, lar_point *at) {
  const int64_t n = g->x->n;
  double low = -HUGE_VAL, high = HUGE_VAL, here = 0;
  for (int k = 0; k < 100; k++) {
    LAR_TRY(g->family->slopes(g->self, &g->rows, at->eta, w->u, w->h));
    temper(w, g);
    w->weight = sum_of(n, w->h);
    const double slope = sum_of(n, w->u);
    if (!g->intercept || !(w->weight > 0) || fabs(slope) <= 1e-15) break;
    double step = -slope / w->weight;
    if ((g->family->traits & LAR_FAM_QUADRATIC) == 0)
      step = step > 2 ? 2 : step < -2 ? -2 : step;
    *(slope < 0 ? &low : &high) = here;
    const double next = here + step;
    if (low > -HUGE_VAL && high < HUGE_VAL && !(next > low && next < high))
      step = (low + high) / 2 - here;
    here += step;
    at->intercept[0] += step;
    for (int64_t i = 0; i < n; i++) at->eta[i] += step;
    if (fabs(step) < 1e-14) break;
  }
  return g->family->value(g->self, &g->rows, at->eta, &at->loss);
}

/* ---- who is in ---- */

void lar_cd_look(lar_cd *w) {
  lar_look_around(&w->seen, &w->s, w->q.place, NULL, w->u, w->corr);
  for (int64_t k = 0; k < w->q.m; k++) w->q.slope[k] = w->corr[w->q.at[k]];
}

/* Second derivatives along the columns: the metric in which jumps of penalties are judged. */
void lar_cd_measure(lar_cd *w, const lar_problem *g) {
  for (int64_t j = 0; w->curve != NULL && j < g->x->p; j++) {
    double one, two, scale = lar_design_scale(g->x, j), mean = lar_design_mean(g->x, j);
    lar_design_moments(g->x, j, w->h, &one, &two);
    if (g->intercept) mean = one / w->weight;
    double c = two - 2 * mean * one + mean * mean * w->weight;
    w->curve[j] = scale > 0 && c > 0 ? c / (scale * scale) : 0;
  }
}

/* Would a coefficient at 0 leave it, at this strength? */
static bool leaves(const lar_cd *w, const lar_scalar *s, int64_t j) {
  if (lar_scalar_rests(s, j, w->corr[j]) || lar_scalar_held(s, j)) return false;
  if (lar_scalar_distance(s, j, 0, w->corr[j]) > 0) return true;
  if (w->curve == NULL || !(w->curve[j] > 0)) return false;
  return lar_scalar_prox(s, j, -w->corr[j] / w->curve[j], 1 / w->curve[j]) != 0;
}

/* A Gram matrix may take 16 MB, or half of what X takes. */
static bool too_many(const lar_cd *w, const lar_design *x) {
  double held = x->sparse != NULL ? (double)lar_sparse_nnz(x->sparse) : (double)(x->n * x->p);
  double most = held * (double)lar_dtype_size(x->dtype) / 2, m = (double)w->q.m;
  return !w->q.rows && m * m * sizeof(double) > fmax(most, 16 << 20);
}

lar_status lar_cd_take_in(lar_cd *w, const lar_problem *g, int64_t j, double b, double slope) {
  LAR_TRY(lar_quad_add(&w->q, j, b, slope));
  if (!too_many(w, g->x)) return LAR_OK;
  LAR_TRY(lar_quad_by_rows(&w->q, true));
  return lar_quad_fill(&w->q, 0, w->h, w->weight);
}

lar_status lar_cd_admit(lar_cd *w, const lar_problem *g, const lar_point *at, double lambda,
                        int64_t *added) {
  lar_scalar s = w->s;
  int64_t from = w->q.m;
  s.lambda = lambda;
  if (lambda < at->lambda) lar_look_closer(&w->seen, &s, w->u, w->corr);
  for (int64_t j = 0; j < s.p; j++) {
    if (w->q.place[j] != 0 || lar_design_scale(g->x, j) == 0) continue;
    if (at->coef[j] != 0 || leaves(w, &s, j))
      LAR_TRY(lar_cd_take_in(w, g, j, at->coef[j], w->corr[j]));
  }
  *added = w->q.m - from;
  return LAR_OK;
}

/* What may come in between two strengths, as if slopes changed as fast as the strength; all
 * columns at once after a long step would be too many. */
double lar_cd_strong(double lambda, double previous) {
  return previous == HUGE_VAL ? lambda : fmax(2 * lambda - previous, lambda / 2);
}

bool lar_cd_certified(lar_cd *w, const lar_problem *g, lar_point *at) {
  double share = lar_certify(g, &w->s, w->u, w->corr, w->scratch, at);
  if (!w->whole && !w->coarse)
    lar_look_screen(&w->seen, &w->s, w->q.place, w->corr, share,
                    lar_dual_ball(g, w->u, share, at->gap));
  if (w->dual_at != at->lambda) w->dual = -HUGE_VAL;
  w->dual_at = at->lambda;
  w->dual = fmax(w->dual, at->value - at->gap); /* NaN is passed over */
  if (!isnan(at->gap)) at->gap = at->value - w->dual;
  at->gap /= g->null_value > 0 ? g->null_value : 1;
  at->kkt /= g->null_slope > 0 ? g->null_slope : 1;
  if (at->lambda == 0) at->gap = (double)NAN; /* nothing bounds the dual point */
  return isnan(at->gap) ? at->kkt <= g->tol : at->gap <= g->tol;
}

/* Where jumps are possible a certificate is of slopes alone: who would jump in is asked too. */
bool lar_cd_ended(const lar_cd *w, const lar_problem *g, lar_point *at, bool good,
                  double share) {
  if (good && w->curve == NULL) return true;
  if (lar_interrupt_pending())
    at->status = LAR_INTERRUPTED;
  else if (at->iterations >= g->max_iter || share < 1e-12)
    at->status = LAR_MAX_ITER;
  return at->status != LAR_CONVERGED;
}

/* ---- any smooth loss: quadratic models, one after the other ---- */

static double penalty_of(const lar_cd *w, double t, const double *from) {
  double sum = 0;
  for (int64_t k = 0; k < w->q.m; k++) {
    int64_t j = w->q.at[k];
    double b = from[j] + t * (w->q.b[k] - from[j]);
    if (b != 0 || w->s.lo != NULL) sum += lar_scalar_value(&w->s, j, b);
  }
  return sum;
}

/* The model's step by rows, with that of the intercept. */
static double direction(lar_cd *w, const lar_problem *g, const lar_point *at) {
  double shift = 0, b0 = 0;
  memset(w->move, 0, (size_t)g->x->n * sizeof(double));
  for (int64_t k = 0; k < w->q.m; k++) {
    int64_t j = w->q.at[k];
    double d = w->q.b[k] - at->coef[j], scale = lar_design_scale(g->x, j);
    if (d == 0) continue;
    lar_design_axpy(g->x, j, d / scale, NULL, w->move);
    shift -= d * lar_design_mean(g->x, j) / scale;
    b0 -= d * w->q.mean[k];
  }
  for (int64_t i = 0; i < g->x->n; i++) w->move[i] += shift + b0;
  return b0;
}

/* What the model promises of the loss, along w->move. */
static double promise(const lar_cd *w, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += w->move[i] * (w->u[i] + w->metric[i] * w->move[i] / 2);
  return sum;
}

/* A step that brings more than the model said met less curvature than that; one that brings
 * much less, more. */
static void judge(lar_cd *w, double t, double said, double fell) {
  w->damp = t > 1e-3 ? fmax(w->damp / 2, 1) : fmin(w->damp * 4, 1e6);
  if (t == 1 && fell > said)
    w->floor = fmax(w->floor / 10, LEAST_FLOOR);
  else if (fell < said / 2)
    w->floor = fmin(w->floor * 100, MOST_FLOOR);
}

/* As far towards the model's least as the objective falls; where it does not, the next model is
 * steeper. */
static lar_status advance(lar_cd *w, const lar_problem *g, lar_point *at) {
  int64_t n = g->x->n;
  double before = at->loss + penalty_of(w, 0, at->coef), b0 = direction(w, g, at), t = 1, after;
  double said = before - at->loss - penalty_of(w, 1, at->coef) - promise(w, n);
  double *old = w->scratch, from = at->intercept[0];
  memcpy(old, at->eta, (size_t)n * sizeof *old);
  for (int k = 0; k < 40; k++, t /= 2) {
    for (int64_t i = 0; i < n; i++) at->eta[i] = old[i] + t * w->move[i];
    at->intercept[0] = from + t * b0;
    LAR_TRY(lar_cd_centre(w, g, at));
    after = at->loss + penalty_of(w, t, at->coef);
    if (after <= before + 1e-14 * fabs(before)) break;
  }
  judge(w, t, said, before - after);
  for (int64_t k = 0; k < w->q.m; k++) {
    double *b = &at->coef[w->q.at[k]];
    *b += t * (w->q.b[k] - *b);
    if (t < 1) w->q.b[k] = *b;
  }
  return LAR_OK;
}

static void refresh_slopes(lar_cd *w, const lar_problem *g) {
  lar_design_tmul(g->x, w->u, sum_of(g->x->n, w->u), w->q.at, w->q.m, w->q.slope);
}

/* Members at 0 that are not expected to leave it go. */
static lar_status thin(lar_cd *w) {
  void *v;
  if (w->q.m == 0 || w->curve != NULL) return LAR_OK;
  LAR_TRY(lar_alloc_raw(&v, (size_t)w->q.m, sizeof(bool)));
  bool *keep = v;
  lar_scalar s = w->s;
  s.lambda = w->ahead;
  for (int64_t k = 0; k < w->q.m; k++)
    keep[k] = w->q.b[k] != 0 || lar_scalar_distance(&s, w->q.at[k], 0, w->q.slope[k]) > 0;
  lar_quad_drop(&w->q, keep);
  lar_free(v);
  return LAR_OK;
}

/* Second derivatives of an earlier point make models as good as long as steps converge by
 * them: a Gram matrix is made anew where they do not. */
static lar_status make_model(lar_cd *w, const lar_problem *g) {
  bool joint = g->family->joint != NULL && !w->q.rows;
  if (joint && w->filled < w->q.m) w->filled = 0;
  if (w->q.rows || w->filled == 0) {
    memcpy(w->metric, w->h, (size_t)g->x->n * sizeof(double));
    w->mass = w->weight;
    w->filled = 0;
    if (!w->q.rows) LAR_TRY(thin(w));
  }
  if (!joint)
    LAR_TRY(lar_quad_fill(&w->q, w->filled, w->metric, w->mass));
  else if (w->filled == 0)
    LAR_TRY(lar_quad_joint(&w->q, g, w->damp));
  w->filled = w->q.m;
  return LAR_OK;
}

/* A loss of parabolas and lines is followed from piece to piece, where that pays. */
static lar_status pivot(lar_cd *w, const lar_problem *g, double previous, lar_point *at,
                        bool *done) {
  const double from = previous == HUGE_VAL ? at->lambda : previous;
  *done = true;
  if (w->q.m == 0) return LAR_OK;
  LAR_TRY(lar_pivot_follow(&w->pivot, g, &w->s, &w->q, from, at, done));
  if (*done) {
    w->filled = 0;
    LAR_TRY(lar_cd_centre(w, g, at));
  }
  refresh_slopes(w, g);
  return LAR_OK;
}

/* Of coarse tolerances a look at all columns, which costs less than a model of many, often
 * tells sooner that a point is enough. */
static bool is_coarse(const lar_problem *g) { return g->tol >= LAR_CD_COARSE; }

static bool looks_pay(const lar_cd *w, const lar_problem *g) {
  return is_coarse(g) && (double)w->q.m * (double)w->q.m > 2 * (double)g->x->p;
}

/* The working set's optimum, by models that are solved the better the nearer it is; or one of
 * them, where a look pays. What is left is judged by the size of the coefficients: where that
 * deceives (they are next to 0), a step is due. *near: no more is to be had. */
static lar_status settle(lar_cd *w, const lar_problem *g, lar_point *at, double share, bool due,
                         bool *near) {
  const double slow = 0.2, fine = is_coarse(g) ? 0.1 : 0.01;
  bool dual = w->s.convex && w->s.other == NULL;
  double goal = share * g->tol * g->null_value, kkt = share * g->tol * g->null_slope;
  double far, last = w->off;
  *near = false;
  while (at->iterations < g->max_iter && !lar_interrupt_pending()) {
    int64_t rounds;
    double left = lar_quad_left(&w->q, &w->s, &far);
    *near = w->q.m == 0 || (!due && (dual ? left <= goal : far <= kkt));
    if (*near) return LAR_OK;
    due = false;
    double off = dual ? left : far;
    if (off > slow * last || w->damp > 1) w->filled = 0;
    last = w->off = off;
    LAR_TRY(make_model(w, g));
    double gap = dual ? fmax(fine * left, 0.3 * goal) : (double)NAN;
    double slope = fmax(fine * far, 0.3 * kkt);
    if (w->q.rows) {
      lar_metric metric = {w->h, w->weight, 0};
      memcpy(w->move, w->u, (size_t)g->x->n * sizeof(double));
      lar_until until = {gap, slope, -HUGE_VAL, 1000};
      LAR_TRY(lar_quad_descend(&w->q, &w->s, &metric, w->move, until, &rounds));
    } else {
      LAR_TRY(lar_quad_solve(&w->q, &w->s, gap, slope, 1000, &rounds));
    }
    at->iterations += rounds > 0 ? rounds : 1;
    LAR_TRY(advance(w, g, at));
    refresh_slopes(w, g);
    *near = lar_unbounded(g, at, 1e-9);
    if (*near || (dual && looks_pay(w, g))) break;
  }
  return LAR_OK;
}

static lar_status solve_smooth(lar_cd *w, const lar_problem *g, double previous,
                               lar_point *at) {
  double share = is_coarse(g) ? 0.9 : 0.3;
  int64_t added;
  bool due = false, near = true, pivots = lar_pivot_fits(g, &w->s);
  if (!w->begun) {
    LAR_TRY(lar_cd_centre(w, g, at));
    lar_cd_measure(w, g);
    lar_look_all(&w->seen, w->u, w->corr);
    w->begun = true;
  }
  w->off = HUGE_VAL;
  w->ahead = lar_cd_strong(at->lambda, previous);
  LAR_TRY(lar_cd_admit(w, g, at, w->ahead, &added));
  for (;;) {
    if (pivots) LAR_TRY(pivot(w, g, previous, at, &pivots));
    if (!pivots || due) LAR_TRY(settle(w, g, at, share, due, &near));
    lar_cd_measure(w, g);
    lar_cd_look(w);
    bool good = lar_cd_certified(w, g, at);
    if (lar_cd_ended(w, g, at, good, share)) return LAR_OK;
    LAR_TRY(lar_cd_admit(w, g, at, at->lambda, &added));
    if (good && added == 0) return LAR_OK;
    due = near && added == 0;
    if (due) share *= 0.1;
  }
}

static lar_status solve(void *work_, const lar_problem *g, double previous, lar_point *at) {
  lar_cd *w = work_;
  w->s.lambda = at->lambda;
  at->status = LAR_CONVERGED;
  at->iterations = 0;
  if ((g->family->traits & LAR_FAM_QUADRATIC) != 0) return lar_cd_squares(w, g, previous, at);
  LAR_TRY(solve_smooth(w, g, previous, at));
  if (at->status == LAR_CONVERGED && lar_unbounded(g, at, 10 * g->tol))
    at->status = LAR_UNBOUNDED;
  return LAR_OK;
}

LAR_ENTRY(solver, cd) = {
  .name = "cd",
  .doc = "coordinate descent and Newton's method on a working set",
  .source = "Friedman, Hastie & Tibshirani 2010, J. Stat. Softw. 33(1), sec. 2; Lee, Sun & "
            "Saunders 2014, SIAM J. Optim. 24(3); strong rules: Tibshirani et al. 2012, JRSS B "
            "74(2)",
  .rank = 10,
  .fits = fits,
  .open = start,
  .solve = solve,
  .close = shut,
};
