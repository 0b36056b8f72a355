/* Kinked losses (exact quantiles) with l1 and l2: an interior point method on a working set of
 * columns, which takes in those whose dual constraints fail. The dual point, scaled until it
 * meets all of them, is an exact certificate. */
#include <string.h>

#include "core/interrupt.h"
#include "core/mem.h"
#include "solver/barrier.h"
#include "solver/centre.h"
#include "solver/coefs.h"
#include "solver/scalar.h"

typedef struct work {
  lar_scalar scalar;
  int64_t rows;        /* those with a weight */
  int64_t *row, *list; /* them; the working set */
  int64_t count;
  char *in;
  double *y, *lo, *hi;  /* rows each */
  double *slope, *grad; /* n: the dual point, as a slope of F; p: Z'slope */
  double *block;
  double *X, *b, *u, *a, *s; /* the small problem: room for `room` columns */
  int64_t room;
  void *small;
} work;

static lar_status fits(const lar_problem *g) {
  if (!lar_family_kinked(g->family, g->self) || g->rows.k != 1)
    return lar_fail(LAR_EARG,
                    "solver 'interior' is for losses with kinks (exact quantile); %s is smooth",
                    g->family->name);
  LAR_TRY(lar_scalar_fits(g, "interior"));
  if (g->lower != NULL || g->upper != NULL || !lar_reg_all(g->penalty, LAR_CONVEX) ||
      lar_reg_any(g->penalty, LAR_CONSTRAINT))
    return lar_fail(LAR_EARG, "solver 'interior' takes l1, l2 and elastic_net without bounds; "
                              "give the loss a width for others");
  for (int i = 0; i < g->penalty->n; i++)
    if (g->penalty->at[i].term->type->simple == NULL)
      return lar_fail(LAR_EARG,
                      "solver 'interior' takes l1, l2 and elastic_net; for %s give the loss a "
                      "width",
                      g->penalty->at[i].term->name);
  return LAR_OK;
}

static void shut(void *opened) {
  work *w = opened;
  if (w == NULL) return;
  lar_scalar_close(&w->scalar);
  lar_free(w->block);
  lar_free(w->row);
  lar_free(w->in);
  lar_free(w->small);
  lar_free(w);
}

/* The range of slopes of each row, from points on either side of its kink. */
static lar_status ranges(work *w, const lar_problem *g) {
  const int64_t n = g->x->n;
  void *made;
  LAR_TRY(lar_alloc(&made, (size_t)(3 * n) + 1, sizeof(double)));
  double *eta = made, *low = eta + n, *high = low + n;
  for (int64_t i = 0; i < n; i++) eta[i] = g->rows.w[i] > 0 ? g->rows.y[i] - 1 : 0;
  lar_status st = g->family->slopes(g->self, &g->rows, eta, low, NULL);
  for (int64_t i = 0; i < n; i++) eta[i] += 2;
  if (st == LAR_OK) st = g->family->slopes(g->self, &g->rows, eta, high, NULL);
  for (int64_t i = 0; st == LAR_OK && i < n; i++) {
    if (g->rows.w[i] == 0) continue;
    w->row[w->rows] = i;
    w->y[w->rows] = g->rows.y[i] - (g->offset != NULL ? g->offset[i] : 0);
    w->lo[w->rows] = -high[i];
    w->hi[w->rows++] = -low[i];
  }
  lar_free(made);
  return st;
}

static lar_status make(work *w, const lar_problem *g) {
  const int64_t n = g->x->n, p = g->x->p;
  void *made;
  double unused;
  LAR_TRY(lar_scalar_open(&w->scalar, g));
  LAR_TRY(lar_alloc(&made, (size_t)(n + p) + 1, sizeof(int64_t)));
  w->row = made, w->list = w->row + n;
  LAR_TRY(lar_alloc(&made, (size_t)p + 1, 1));
  w->in = made;
  LAR_TRY(lar_alloc(&made, (size_t)(4 * n + p) + 1, sizeof(double)));
  w->block = w->y = made, w->lo = w->y + n, w->hi = w->lo + n, w->slope = w->hi + n;
  w->grad = w->slope + n;
  LAR_TRY(ranges(w, g));
  LAR_TRY(g->family->null(g->self, &g->rows, g->offset, g->intercept, &unused, w->slope));
  lar_gradient(g, w->slope, w->grad);
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

/* ---- the working set ---- */

static double ridge(const work *w, int64_t j) {
  return w->scalar.b != NULL ? w->scalar.lambda * w->scalar.b[j] : 0;
}

/* Columns whose slope is beyond `strength` of their penalty, and those that are not 0. */
static int64_t take_in(work *w, const lar_problem *g, const double *b, double strength) {
  int64_t news = 0;
  for (int64_t j = 0; j < g->x->p; j++) {
    if (w->in[j] || lar_scalar_held(&w->scalar, j) || lar_design_scale(g->x, j) == 0) continue;
    bool loose = w->scalar.a[j] == 0;
    if (!loose && b[j] == 0 && fabs(w->grad[j]) <= strength * w->scalar.a[j]) continue;
    w->in[j] = 1;
    w->list[w->count++] = j;
    news++;
  }
  return news;
}

static lar_status make_room(work *w, int64_t m) {
  void *made;
  if (m <= w->room) return LAR_OK;
  int64_t room = m + m / 2 + 8;
  LAR_TRY(lar_alloc_raw(&made, (size_t)(w->rows * (room + 1) + 4 * room), sizeof(double)));
  lar_free(w->small);
  w->small = w->X = made, w->b = w->X + w->rows * room, w->a = w->b + room;
  w->s = w->a + room, w->u = w->s + room;
  w->room = room;
  return LAR_OK;
}

static void fill_column(const work *w, const lar_problem *g, int64_t j, double *scratch,
                        double *out) {
  double scale = lar_design_scale(g->x, j), mean = lar_design_mean(g->x, j);
  memset(scratch, 0, (size_t)g->x->n * sizeof *scratch);
  lar_design_axpy(g->x, j, 1 / scale, NULL, scratch);
  for (int64_t i = 0; i < w->rows; i++) out[i] = scratch[w->row[i]] - mean / scale;
}

/* The problem of the columns in the working set; the intercept is a free column of ones. */
static lar_status solve_small(work *w, const lar_problem *g, double fine, lar_point *at) {
  const int64_t first = g->intercept ? 1 : 0, m = w->count + first;
  LAR_TRY(make_room(w, m + 1));
  for (int64_t c = 0; c < m; c++) {
    int64_t j = c < first ? -1 : w->list[c - first];
    double *x = w->X + c * w->rows;
    for (int64_t i = 0; j < 0 && i < w->rows; i++) x[i] = 1;
    if (j >= 0) fill_column(w, g, j, at->eta, x);
    w->b[c] = j < 0 ? at->intercept[0] : at->coef[j];
    w->a[c] = j < 0 ? 0 : w->scalar.lambda * w->scalar.a[j];
    w->s[c] = j < 0 ? 0 : ridge(w, j);
  }
  lar_barrier P = {.n = w->rows, .m = m, .X = w->X, .y = w->y, .lo = w->lo, .hi = w->hi};
  P.a = w->a, P.s = w->s, P.b = w->b, P.u = w->u;
  lar_status st = lar_barrier_solve(&P, fine, 200);
  at->iterations += P.iterations;
  return st;
}

/* Coefficients of the small problem: one is 0 where it is less far from 0 than its dual is from
 * its bound (each relative to its scale). Slopes: minus the dual point. */
static void read_small(work *w, const lar_problem *g, lar_point *at) {
  const int64_t first = g->intercept ? 1 : 0;
  double most = 0;
  for (int64_t c = first; c < w->count + first; c++) most = fmax(most, fabs(w->b[c]));
  memset(at->coef, 0, (size_t)g->x->p * sizeof(double));
  for (int64_t c = first; c < w->count + first; c++) {
    double slack = w->a[c] > 0 ? (w->a[c] - fabs(w->u[w->rows + c])) / w->a[c] : 0;
    bool zero = w->a[c] > 0 && fabs(w->b[c]) < most * slack;
    at->coef[w->list[c - first]] = zero ? 0 : w->b[c];
  }
  at->intercept[0] = first > 0 ? w->b[0] : 0;
  memset(w->slope, 0, (size_t)g->x->n * sizeof(double));
  for (int64_t i = 0; i < w->rows; i++) w->slope[w->row[i]] = -w->u[i];
  lar_gradient(g, w->slope, w->grad);
}

/* ---- certificates ---- */

/* The greatest share of the dual point that all columns without a quadratic part allow; -1
 * where a column must have slope 0 and has not. */
static double allowed(const work *w, const lar_problem *g) {
  double s = 1, unit = g->null_slope > 0 ? g->null_slope : 1;
  for (int64_t j = 0; j < g->x->p; j++) {
    if (lar_scalar_held(&w->scalar, j) || ridge(w, j) > 0) continue;
    double a = w->scalar.lambda * w->scalar.a[j], size = fabs(w->grad[j]);
    if (a == 0 && size > 1e-9 * unit) return -1;
    if (a > 0 && s * size > a) s = a / size;
  }
  return s;
}

static lar_status certify(work *w, const lar_problem *g, lar_point *at) {
  double penalty = 0, off = 0, sum = 0, s = allowed(w, g);
  lar_predict(g, at->coef, at->intercept, at->eta);
  LAR_TRY(g->family->value(g->self, &g->rows, at->eta, &at->loss));
  for (int64_t j = 0; j < g->x->p; j++) {
    double a = w->scalar.lambda * w->scalar.a[j], b = ridge(w, j);
    if (at->coef[j] != 0) penalty += lar_scalar_value(&w->scalar, j, at->coef[j]);
    if (lar_scalar_held(&w->scalar, j)) continue;
    off = fmax(off, lar_scalar_distance(&w->scalar, j, at->coef[j], w->grad[j]));
    double over = fmax(s * fabs(w->grad[j]) - a, 0);
    if (b > 0) sum += over * over / (2 * b);
  }
  at->value = at->loss + penalty;
  at->kkt = off / (g->null_slope > 0 ? g->null_slope : 1);
  for (int64_t i = 0; i < w->rows; i++) sum += s * w->slope[w->row[i]] * w->y[i];
  at->gap = s < 0 ? (double)NAN : (at->value + sum) / (g->null_value > 0 ? g->null_value : 1);
  return LAR_OK;
}

/* ---- a point ---- */

static lar_status solve(void *opened, const lar_problem *g, double previous, lar_point *at) {
  work *w = opened;
  double unit = g->null_value > 0 ? g->null_value : 1, fine = 0.1 * g->tol * unit;
  w->scalar.lambda = at->lambda;
  at->iterations = 0;
  at->status = LAR_MAX_ITER;
  w->count = 0;
  memset(w->in, 0, (size_t)g->x->p);
  take_in(w, g, at->coef, previous < HUGE_VAL ? 2 * at->lambda - previous : at->lambda);
  for (int round = 0;; round++) {
    LAR_TRY(solve_small(w, g, fine, at));
    read_small(w, g, at);
    LAR_TRY(certify(w, g, at));
    if (isnan(at->gap) ? at->kkt <= g->tol : at->gap <= g->tol) at->status = LAR_CONVERGED;
    if (lar_interrupt_pending()) at->status = LAR_INTERRUPTED;
    if (at->status != LAR_MAX_ITER || at->iterations >= g->max_iter) break;
    if (take_in(w, g, at->coef, at->lambda * (1 + g->tol)) > 0) continue;
    if (fine < 1e-14 * unit) break; /* no digits left */
    fine /= 10;
  }
  at->df = lar_coefs_df(at->coef, g->x->p, 1);
  return LAR_OK;
}

LAR_ENTRY(solver, interior) = {
  .name = "interior",
  .doc = "exact quantiles with l1 and l2: a primal-dual interior point on a working set",
  .source = "Portnoy & Koenker 1997, Statist. Sci. 12(4); Mehrotra 1992, SIAM J. Optim. 2(4)",
  .rank = 10,
  .fits = fits,
  .open = open,
  .solve = solve,
  .close = shut,
};
