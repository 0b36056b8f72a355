/* Least angle regression with the lasso's rule. Between knots the coefficients that are not 0
 * move along d = G^-1 signs, G the Gram matrix of their columns, and the correlations of all
 * columns fall along Z'W Z d. At a knot the first of the others catches up with lambda, or a
 * coefficient meets 0. Coefficients are G^-1 (q - lambda signs) at every lambda, so errors do
 * not add up. */
#include "solver/lars.h"

#include <string.h>

#include "core/interrupt.h"
#include "core/mem.h"
#include "solver/centre.h"
#include "solver/coefs.h"
#include "solver/dual.h"

enum { FREE = -1, BARRED = -2, CONSTANT = -3 };

typedef struct work {
  lar_scalar scalar;
  double base, lambda; /* strength at lambda = 1; where we are, times base */
  int64_t n, p, count, room;
  int64_t *active, *place;   /* columns in; of each column its place, or one of the above */
  int64_t left;              /* the column that left at this knot, or -1 */
  double *sign, *q, *d, *at; /* of those in: signs, z_j'W r, direction, coefficients */
  double *L;                 /* Cholesky factor of G: row i at L + i * room */
  double *r, *u, *v;         /* n: W r; residuals; room */
  double *corr, *fall;       /* p: z_j'W(r - Zb), and their rate of fall */
  double mean;
  double *block;
} work;

static lar_status fits(const lar_problem *g) {
  const lar_term *t = g->penalty->n == 1 ? g->penalty->at[0].term : NULL;
  if (t == NULL || t->type == NULL || strcmp(t->type->name, "l1") != 0 || t->weights != NULL)
    return lar_fail(LAR_EARG, "solver 'lars' takes l1 alone, without weights");
  if ((g->family->traits & LAR_FAM_QUADRATIC) == 0 || g->rows.k != 1)
    return lar_fail(LAR_EARG, "solver 'lars' needs squared loss of one response; %s is another",
                    g->family->name);
  if (!lar_problem_plain(g) || g->lower != NULL || g->upper != NULL)
    return lar_fail(LAR_EARG, "solver 'lars' takes no factors of columns and no bounds");
  return LAR_OK;
}

/* ---- opening ---- */

static void shut(void *opened) {
  work *w = opened;
  if (w == NULL) return;
  lar_scalar_close(&w->scalar);
  lar_free(w->block);
  lar_free(w->active);
  lar_free(w->L);
  lar_free(w);
}

/* Everything is out again, at the greatest lambda. */
static void restart(work *w, const lar_problem *g) {
  w->count = 0;
  w->left = -1;
  w->lambda = 0;
  for (int64_t j = 0; j < w->p; j++)
    w->place[j] = lar_design_scale(g->x, j) == 0 ? CONSTANT : FREE;
  lar_design_tmul(g->x, w->r, lar_total(w->r, w->n), NULL, 0, w->corr);
  for (int64_t j = 0; j < w->p; j++) w->lambda = fmax(w->lambda, fabs(w->corr[j]));
}

static lar_status make(work *w, const lar_problem *g) {
  const int64_t n = w->n = g->x->n, p = w->p = g->x->p;
  void *made;
  w->room = n < p ? n : p;
  w->base = g->penalty->at[0].term->lambda * g->penalty->at[0].scale;
  LAR_TRY(lar_scalar_open(&w->scalar, g));
  LAR_TRY(lar_alloc(&made, (size_t)(4 * w->room + 3 * n + 2 * p) + 8, sizeof(double)));
  w->block = w->sign = made, w->q = w->sign + w->room, w->d = w->q + w->room;
  w->at = w->d + w->room, w->r = w->at + w->room, w->u = w->r + n, w->v = w->u + n;
  w->corr = w->v + n, w->fall = w->corr + p;
  LAR_TRY(lar_alloc(&made, (size_t)(w->room + p) + 1, sizeof(int64_t)));
  w->active = made, w->place = w->active + w->room;
  LAR_TRY(lar_alloc(&made, (size_t)w->room * (size_t)w->room + 1, sizeof(double)));
  w->L = made;
  for (int64_t i = 0; i < n; i++) {
    double e = g->rows.w[i] > 0 ? g->rows.y[i] - (g->offset != NULL ? g->offset[i] : 0) : 0;
    w->r[i] = e;
    w->mean += g->rows.w[i] * e;
  }
  if (!g->intercept) w->mean = 0;
  for (int64_t i = 0; i < n; i++) w->r[i] = g->rows.w[i] * (w->r[i] - w->mean);
  restart(w, g);
  return LAR_OK;
}

static lar_status open(void **out, const lar_problem *g) {
  void *made;
  LAR_TRY(lar_alloc(&made, 1, sizeof(work)));
  lar_status st = make(made, g);
  if (st == LAR_OK)
    *out = made;
  else
    shut(made);
  return st;
}

/* ---- the factor ---- */

/* x = (L L')^-1 x */
static void solve_gram(const work *w, double *x) {
  const int64_t m = w->count;
  for (int64_t i = 0; i < m; i++) {
    const double *row = w->L + i * w->room;
    for (int64_t k = 0; k < i; k++) x[i] -= row[k] * x[k];
    x[i] /= row[i];
  }
  for (int64_t i = m - 1; i >= 0; i--) {
    const double *row = w->L + i * w->room;
    x[i] /= row[i];
    for (int64_t k = 0; k < i; k++) x[k] -= row[k] * x[i];
  }
}

/* v = W z_j */
static void weighted(const work *w, const lar_problem *g, int64_t j, double *v) {
  double mean = lar_design_mean(g->x, j), scale = lar_design_scale(g->x, j);
  for (int64_t i = 0; i < w->n; i++) v[i] = -mean / scale * g->rows.w[i];
  lar_design_axpy(g->x, j, 1 / scale, g->rows.w, v);
}

/* Column j comes in; false where it depends on those that are in. */
static bool enter(work *w, const lar_problem *g, int64_t j) {
  const int64_t m = w->count;
  double *row = w->L + m * w->room, own, pivot;
  if (m == w->room) return false;
  weighted(w, g, j, w->v);
  double sum = lar_total(w->v, w->n);
  lar_design_tmul(g->x, w->v, sum, w->active, m, row);
  lar_design_tmul(g->x, w->v, sum, &j, 1, &own);
  pivot = own;
  for (int64_t i = 0; i < m; i++) {
    const double *l = w->L + i * w->room;
    for (int64_t k = 0; k < i; k++) row[i] -= l[k] * row[k];
    row[i] /= l[i];
    pivot -= row[i] * row[i];
  }
  if (!(pivot > 1e-12 * own)) return false;
  row[m] = sqrt(pivot);
  w->active[m] = j;
  w->place[j] = m;
  w->sign[m] = w->corr[j] < 0 ? -1 : 1;
  lar_design_tmul(g->x, w->r, lar_total(w->r, w->n), &j, 1, &w->q[m]);
  w->count++;
  return true;
}

/* Rows below k lose their k-th entry; turns of two columns at a time make L triangular again.
 */
static void leave(work *w, int64_t k) {
  w->left = w->active[k];
  w->place[w->left] = FREE;
  for (int64_t j = 0; j < w->p; j++)
    if (w->place[j] == BARRED) w->place[j] = FREE;
  for (int64_t i = k; i < w->count - 1; i++) {
    memcpy(w->L + i * w->room, w->L + (i + 1) * w->room, (size_t)(i + 2) * sizeof(double));
    w->active[i] = w->active[i + 1];
    w->place[w->active[i]] = i;
    w->sign[i] = w->sign[i + 1];
    w->q[i] = w->q[i + 1];
    w->at[i] = w->at[i + 1];
  }
  w->count--;
  for (int64_t c = k; c < w->count; c++) {
    double *row = w->L + c * w->room, size = hypot(row[c], row[c + 1]);
    double cs = row[c] / size, sn = row[c + 1] / size;
    for (int64_t i = c; i < w->count; i++) {
      double *at = w->L + i * w->room, a = at[c], b = at[c + 1];
      at[c] = cs * a + sn * b;
      at[c + 1] = cs * b - sn * a;
    }
    if (row[c] < 0)
      for (int64_t i = c; i < w->count; i++) w->L[i * w->room + c] = -w->L[i * w->room + c];
  }
}

/* ---- knots ---- */

/* Coefficients at lambda, and from them all correlations. */
static void stand(work *w, const lar_problem *g) {
  for (int64_t i = 0; i < w->count; i++) w->at[i] = w->q[i] - w->lambda * w->sign[i];
  solve_gram(w, w->at);
  double shift = 0;
  memset(w->u, 0, (size_t)w->n * sizeof(double));
  for (int64_t i = 0; i < w->count; i++) {
    double e = w->at[i] / lar_design_scale(g->x, w->active[i]);
    lar_design_axpy(g->x, w->active[i], e, NULL, w->u);
    shift += e * lar_design_mean(g->x, w->active[i]);
  }
  for (int64_t i = 0; i < w->n; i++) w->u[i] = w->r[i] - g->rows.w[i] * (w->u[i] - shift);
  lar_design_tmul(g->x, w->u, lar_total(w->u, w->n), NULL, 0, w->corr);
}

/* d, and how fast the correlations fall with lambda. */
static void aim(work *w, const lar_problem *g) {
  double shift = 0;
  memcpy(w->d, w->sign, (size_t)w->count * sizeof(double));
  solve_gram(w, w->d);
  memset(w->v, 0, (size_t)w->n * sizeof(double));
  for (int64_t i = 0; i < w->count; i++) {
    double e = w->d[i] / lar_design_scale(g->x, w->active[i]);
    lar_design_axpy(g->x, w->active[i], e, NULL, w->v);
    shift += e * lar_design_mean(g->x, w->active[i]);
  }
  for (int64_t i = 0; i < w->n; i++) w->v[i] = g->rows.w[i] * (w->v[i] - shift);
  lar_design_tmul(g->x, w->v, lar_total(w->v, w->n), NULL, 0, w->fall);
}

/* How far lambda can fall before column j catches up; the one that has just left is level with
 * lambda, and parts from it. */
static double reach(const work *w, int64_t j) {
  double up = 1 - w->fall[j], down = 1 + w->fall[j], best = HUGE_VAL;
  bool left = j == w->left;
  if (up > 1e-12 && !(left && w->corr[j] > 0)) best = fmax(w->lambda - w->corr[j], 0) / up;
  if (down > 1e-12 && !(left && w->corr[j] < 0))
    best = fmin(best, fmax(w->lambda + w->corr[j], 0) / down);
  return best;
}

typedef struct event {
  double gone;     /* by how much lambda falls */
  int64_t in, out; /* the column that enters, the place that leaves; -1 */
} event;

static event next(work *w, const lar_problem *g, double target) {
  event e = {.gone = w->lambda - target, .in = -1, .out = -1};
  if (w->count > 0)
    aim(w, g);
  else
    memset(w->fall, 0, (size_t)w->p * sizeof(double));
  for (int64_t j = 0; j < w->p; j++) {
    if (w->place[j] != FREE) continue;
    double far = reach(w, j);
    if (far < e.gone) e = (event){far, j, -1};
  }
  for (int64_t i = 0; i < w->count; i++) {
    double falls = -w->d[i] * w->sign[i]; /* > 0: on its way to 0, or there by rounding */
    double far = falls > 0 ? fmax(w->at[i] * w->sign[i], 0) / falls : HUGE_VAL;
    if (far < e.gone) e = (event){far, -1, i};
  }
  return e;
}

/* Down to target, or to the next knot; *knot: is it one? */
static lar_status step(work *w, const lar_problem *g, double target, bool *knot) {
  event e = next(w, g, target);
  *knot = e.in >= 0 || e.out >= 0;
  w->lambda -= e.gone;
  w->left = -1;
  stand(w, g);
  if (e.out >= 0) {
    leave(w, e.out);
    stand(w, g);
  }
  if (e.in >= 0 && !enter(w, g, e.in)) {
    w->place[e.in] = BARRED; /* its column adds nothing to those in */
    *knot = false;
  }
  if (e.in >= 0) stand(w, g);
  return LAR_OK;
}

/* ---- a point ---- */

static lar_status certify(work *w, const lar_problem *g, lar_point *at) {
  memset(at->coef, 0, (size_t)w->p * sizeof(double));
  for (int64_t i = 0; i < w->count; i++) at->coef[w->active[i]] = w->at[i];
  at->intercept[0] = w->mean;
  lar_predict(g, at->coef, at->intercept, at->eta);
  LAR_TRY(g->family->value(g->self, &g->rows, at->eta, &at->loss));
  LAR_TRY(g->family->slopes(g->self, &g->rows, at->eta, w->u, NULL));
  lar_design_tmul(g->x, w->u, lar_total(w->u, w->n), NULL, 0, w->fall);
  w->scalar.lambda = at->lambda;
  lar_certify(g, &w->scalar, w->u, w->fall, w->v, at);
  at->gap /= g->null_value > 0 ? g->null_value : 1;
  at->kkt /= g->null_slope > 0 ? g->null_slope : 1;
  at->df = w->count;
  return LAR_OK;
}

static lar_status solve(void *opened, const lar_problem *g, double previous, lar_point *at) {
  work *w = opened;
  const double target = at->lambda * w->base;
  if (target > w->lambda) restart(w, g);
  for (at->iterations = 0; w->lambda > target; at->iterations++) {
    bool knot;
    if (lar_interrupt_pending() || at->iterations >= g->max_iter) break;
    LAR_TRY(step(w, g, target, &knot));
  }
  LAR_TRY(certify(w, g, at));
  if (target == 0) at->gap = (double)NAN; /* there is no dual */
  bool good = isnan(at->gap) ? at->kkt <= g->tol : at->gap <= g->tol;
  at->status = lar_interrupt_pending() ? LAR_INTERRUPTED : good ? LAR_CONVERGED : LAR_MAX_ITER;
  return LAR_OK;
}

static lar_status gather_knots(work *w, const lar_problem *g, double share, int64_t most,
                               double *out, int64_t *n) {
  const double least = share * w->lambda / w->base;
  if (w->lambda > 0) out[(*n)++] = w->lambda / w->base;
  while (w->lambda > least * w->base && *n < most && !lar_interrupt_pending()) {
    bool knot;
    LAR_TRY(step(w, g, least * w->base, &knot));
    double now = w->lambda / w->base;
    if (knot && now < out[*n - 1] * (1 - 1e-12)) out[(*n)++] = now;
  }
  return LAR_OK;
}

lar_status lar_lars_knots(const lar_problem *g, double share, int64_t most, double **out,
                          int64_t *n) {
  void *opened = NULL, *made;
  *n = 0;
  *out = NULL;
  LAR_TRY(fits(g));
  LAR_TRY(lar_alloc(&made, (size_t)most + 1, sizeof(double)));
  *out = made;
  LAR_TRY(open(&opened, g));
  lar_status st = gather_knots(opened, g, share, most, *out, n);
  shut(opened);
  return st;
}

LAR_ENTRY(solver, lars) = {
  .name = "lars",
  .doc = "the lasso's path from knot to knot, exactly",
  .source = "Efron et al. 2004, Ann. Statist. 32(2); Osborne, Presnell & Turlach 2000, IMA J. "
            "Numer. Anal. 20(3)",
  .rank = 0,
  .fits = fits,
  .open = open,
  .solve = solve,
  .close = shut,
};
