/* Squared loss with a quadratic penalty s/2 |b|^2: one eigendecomposition serves a whole path.
 * With r = y - offset, centred, and A = W^1/2 Z:
 *   p <= n: A'A = V diag(d) V', b = V ((V'A'W^1/2 r) / (d + s));
 *   p > n:  A A' = V diag(d) V', b = A'a with a = V ((V'W^1/2 r) / (d + s)).
 * All but b itself is then found in the smaller space, the slope of the objective too. */
#include <string.h>

#include "core/interrupt.h"
#include "core/mem.h"
#include "kern/flat.h"
#include "kern/lapack.h"
#include "solver/centre.h"
#include "solver/coefs.h"

enum { MOST = 8192, CHUNK = 256 };

typedef struct work {
  bool rows;      /* the smaller space is that of rows */
  int64_t m;      /* its dimension */
  double base;    /* s at lambda = 1 */
  double *block;  /* of what follows */
  double *target; /* m * k: A'W^1/2 r, or W^1/2 r */
  double *turned; /* m * k: V' target */
  double *square; /* k: sum w r^2 */
  double *mean;   /* k: intercepts */
  double *a, *b;  /* m: room */
  lar_tensor gram, values, vectors;
} work;

/* ---- what it takes ---- */

static lar_status fits(const lar_problem *g) {
  for (int i = 0; i < g->penalty->n; i++) {
    const lar_term *t = g->penalty->at[i].term;
    lar_simple one = {.a = 1};
    if (t->type != NULL && t->type->simple != NULL) t->type->simple(t->self, 1, &one);
    if (one.a != 0 || one.lo > -HUGE_VAL || one.hi < HUGE_VAL || t->weights != NULL)
      return lar_fail(
        LAR_EARG, "solver 'ridge' takes l2 without weights; there is %s: use 'cd'",
        t->type != NULL && strcmp(t->type->name, "l2") == 0 ? "l2 with weights" : t->name);
  }
  if ((g->family->traits & LAR_FAM_QUADRATIC) == 0)
    return lar_fail(LAR_EARG, "solver 'ridge' needs squared loss; %s is another",
                    g->family->name);
  if (!lar_problem_plain(g) || g->lower != NULL || g->upper != NULL)
    return lar_fail(LAR_EARG, "solver 'ridge' takes no weights of columns and no bounds: use "
                              "'cd'");
  int64_t m = g->x->n < g->x->p ? g->x->n : g->x->p;
  if (m > MOST)
    return lar_fail(LAR_EARG,
                    "solver 'ridge' factors a matrix of order min(n, p) = %lld; up "
                    "to %d: use 'cd'",
                    (long long)m, MOST);
  return LAR_OK;
}

/* ---- the matrix ---- */

/* Column j of Z times the root of the weights. */
static void column(const lar_problem *g, int64_t j, double *out) {
  const lar_design *x = g->x;
  double mean = lar_design_mean(x, j), scale = lar_design_scale(x, j);
  for (int64_t i = 0; i < x->n; i++) out[i] = scale == 0 ? 0 : -mean / scale;
  if (scale != 0) lar_design_axpy(x, j, 1 / scale, NULL, out);
  for (int64_t i = 0; i < x->n; i++) out[i] *= sqrt(g->rows.w[i]);
}

/* A'A of a compressed design: a column at a time against all. */
static lar_status by_columns(const lar_problem *g, double *out) {
  const int64_t n = g->x->n, p = g->x->p;
  void *room;
  LAR_TRY(lar_alloc_raw(&room, (size_t)n + 1, sizeof(double)));
  double *v = room;
  for (int64_t j = 0; j < p && !lar_interrupt_pending(); j++) {
    column(g, j, v);
    for (int64_t i = 0; i < n; i++) v[i] *= sqrt(g->rows.w[i]);
    lar_design_tmul(g->x, v, lar_total(v, n), NULL, 0, out + j * p);
  }
  lar_free(room);
  return LAR_OK;
}

/* A A': by chunks of columns, each laid across. */
static lar_status by_kernel(const lar_problem *g, double *out) {
  const int64_t n = g->x->n, p = g->x->p;
  void *room;
  LAR_TRY(lar_alloc_raw(&room, (size_t)((CHUNK + 1) * n) + 1, sizeof(double)));
  double *chunk = room, *v = chunk + CHUNK * n;
  for (int64_t from = 0; from < p && !lar_interrupt_pending(); from += CHUNK) {
    int64_t count = p - from < CHUNK ? p - from : CHUNK;
    for (int64_t c = 0; c < count; c++) {
      column(g, from + c, v);
      for (int64_t i = 0; i < n; i++) chunk[i * count + c] = v[i];
    }
    lar_flat_square(count, n, chunk, count, out, n);
  }
  lar_free(room);
  return LAR_OK;
}

static lar_status decompose(work *w, const lar_problem *g) {
  const int64_t m = w->m, shape[2] = {m, m};
  LAR_TRY(lar_tensor_zeros(&w->gram, LAR_F64, 2, shape));
  LAR_TRY(lar_tensor_init(&w->vectors, LAR_F64, 2, shape));
  LAR_TRY(lar_tensor_init(&w->values, LAR_F64, 1, &m));
  double *G = lar_tensor_data(&w->gram);
  LAR_TRY(w->rows                ? by_kernel(g, G)
          : g->x->sparse != NULL ? by_columns(g, G)
                                 : lar_design_cross(g->x, g->rows.w, NULL, G, NULL));
  for (int64_t j = 0; j < m; j++)
    for (int64_t i = j + 1; i < m; i++) G[i * m + j] = G[j * m + i];
  return lar_lapack_eigh(&w->values, &w->vectors, &w->gram);
}

/* out = V'v (turn) or V v; V is row-major. */
static void turn(const work *w, const double *v, bool back, double *out) {
  const double *V = lar_tensor_data(&w->vectors);
  const int64_t m = w->m;
  memset(out, 0, (size_t)m * sizeof *out);
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < m; j++)
      if (back)
        out[i] += V[i * m + j] * v[j];
      else
        out[j] += V[i * m + j] * v[i];
}

/* ---- opening ---- */

static void shut(void *opened) {
  work *w = opened;
  if (w == NULL) return;
  lar_tensor_clear(&w->gram);
  lar_tensor_clear(&w->values);
  lar_tensor_clear(&w->vectors);
  lar_free(w->block);
  lar_free(w);
}

/* Of predictor c: r = y - offset less its mean, times the root of the weights (into v). */
static void residuals(work *w, const lar_problem *g, int64_t c, double *v) {
  const int64_t n = g->x->n;
  const double *weight = g->rows.w;
  double mean = 0, square = 0;
  for (int64_t i = 0; i < n; i++) {
    v[i] = 0;
    if (weight[i] == 0) continue;
    v[i] = g->rows.y[c * n + i] - (g->offset != NULL ? g->offset[c * n + i] : 0);
    mean += weight[i] * v[i];
  }
  w->mean[c] = g->intercept ? mean : 0;
  for (int64_t i = 0; i < n; i++) {
    v[i] = sqrt(weight[i]) * (v[i] - w->mean[c]);
    square += v[i] * v[i];
  }
  w->square[c] = square;
}

static lar_status targets(work *w, const lar_problem *g) {
  const int64_t n = g->x->n;
  void *room;
  LAR_TRY(lar_alloc_raw(&room, (size_t)n + 1, sizeof(double)));
  double *v = room;
  for (int64_t c = 0; c < g->rows.k; c++) {
    double *target = w->target + c * w->m;
    residuals(w, g, c, v);
    if (w->rows) {
      memcpy(target, v, (size_t)n * sizeof *v);
    } else {
      for (int64_t i = 0; i < n; i++) v[i] *= sqrt(g->rows.w[i]);
      lar_design_tmul(g->x, v, lar_total(v, n), NULL, 0, target);
    }
    turn(w, target, false, w->turned + c * w->m);
  }
  lar_free(room);
  return LAR_OK;
}

static lar_status make(work *w, const lar_problem *g) {
  const int64_t k = g->rows.k;
  void *p;
  w->rows = g->x->p > g->x->n;
  w->m = w->rows ? g->x->n : g->x->p;
  LAR_TRY(
    lar_alloc(&p, (size_t)(2 * w->m * k + 2 * k + 2 * w->m + g->x->n) + 1, sizeof(double)));
  w->block = w->target = p, w->turned = w->target + w->m * k;
  w->square = w->turned + w->m * k, w->mean = w->square + k, w->a = w->mean + k;
  w->b = w->a + w->m;
  for (int i = 0; i < g->penalty->n; i++) {
    const lar_addend *a = &g->penalty->at[i];
    lar_simple one;
    a->term->type->simple(a->term->self, a->term->lambda * a->scale, &one);
    w->base += one.b;
  }
  LAR_TRY(decompose(w, g));
  return targets(w, g);
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

/* ---- a point ---- */

/* Sums of one predictor's: of squares of b, of the slope of the objective, and the loss. */
typedef struct sums {
  double b, slope, loss, most;
} sums;

static double dot(const double *a, const double *b, int64_t m) {
  double sum = 0;
  for (int64_t i = 0; i < m; i++) sum += a[i] * b[i];
  return sum;
}

/* In the smaller space, from its solution w->a: w->b is the Gram matrix times that. */
static void measure(work *w, int64_t c, double s, sums *out) {
  const double *G = lar_tensor_data(&w->gram), *target = w->target + c * w->m;
  const int64_t m = w->m;
  for (int64_t i = 0; i < m; i++) w->b[i] = dot(G + i * m, w->a, m);
  *out = (sums){0};
  if (w->rows) { /* eta = A b = G a; the slope of the objective is A'e */
    out->b = dot(w->a, w->b, m);
    for (int64_t i = 0; i < m; i++)
      out->loss += (target[i] - w->b[i]) * (target[i] - w->b[i]) / 2;
    for (int64_t i = 0; i < m; i++) w->b[i] += s * w->a[i] - target[i];
    for (int64_t i = 0; i < m; i++) out->slope += w->b[i] * dot(G + i * m, w->b, m);
    out->most = sqrt(fmax(out->slope, 0));
    return;
  }
  out->b = dot(w->a, w->a, m);
  out->loss = (w->square[c] - 2 * dot(w->a, target, m) + dot(w->a, w->b, m)) / 2;
  for (int64_t i = 0; i < m; i++) {
    double e = w->b[i] - target[i] + s * w->a[i];
    out->slope += e * e;
    out->most = fmax(out->most, fabs(e));
  }
}

static void predictor(work *w, const lar_problem *g, int64_t c, double s, lar_point *at,
                      sums *out) {
  const double *d = lar_tensor_data(&w->values);
  const int64_t m = w->m, n = g->x->n, p = g->x->p;
  const double least = 1e-13 * fmax(d[m - 1], 0);
  double *coef = at->coef + c * p, *eta = at->eta + c * n;
  for (int64_t i = 0; i < m; i++)
    w->b[i] = d[i] + s > least ? w->turned[c * m + i] / (fmax(d[i], 0) + s) : 0;
  turn(w, w->b, true, w->a);
  measure(w, c, s, out);
  if (w->rows) {
    for (int64_t i = 0; i < n; i++) w->b[i] = w->a[i] * sqrt(g->rows.w[i]);
    lar_design_tmul(g->x, w->b, lar_total(w->b, n), NULL, 0, coef);
  } else {
    memcpy(coef, w->a, (size_t)m * sizeof *coef);
  }
  at->intercept[c] = w->mean[c];
  for (int64_t i = 0; i < n; i++) eta[i] = 0; /* not kept */
}

static lar_status solve(void *opened, const lar_problem *g, double previous, lar_point *at) {
  work *w = opened;
  const double s = at->lambda * w->base;
  sums all = {0}, one;
  if (w->m == 0) return lar_fail(LAR_EARG, "solver 'ridge': x has no columns");
  for (int64_t c = 0; c < g->rows.k; c++) {
    predictor(w, g, c, s, at, &one);
    all.b += one.b, all.slope += one.slope, all.loss += one.loss;
    all.most = fmax(all.most, one.most);
  }
  at->loss = fmax(all.loss, 0);
  at->value = at->loss + s / 2 * all.b;
  at->gap = s > 0 ? all.slope / (2 * s) / (g->null_value > 0 ? g->null_value : 1) : (double)NAN;
  at->kkt = all.most / (g->null_slope > 0 ? g->null_slope : 1);
  at->iterations = 1;
  at->df = lar_coefs_df(at->coef, g->x->p, g->rows.k);
  bool good = isnan(at->gap) ? at->kkt <= g->tol : at->gap <= g->tol;
  at->status = lar_interrupt_pending() ? LAR_INTERRUPTED : good ? LAR_CONVERGED : LAR_MAX_ITER;
  return LAR_OK;
}

/* No strength makes all coefficients 0; this one leaves about a thousandth of a standardised
 * one. */
static lar_status max(void *opened, const lar_problem *g, const double *corr, double *out) {
  const work *w = opened;
  *out = 0;
  for (int64_t j = 0; j < g->x->p * g->rows.k; j++) *out = fmax(*out, fabs(corr[j]));
  *out = w->base > 0 ? *out * 1e3 / w->base : 0;
  return LAR_OK;
}

LAR_ENTRY(solver, ridge) = {
  .name = "ridge",
  .doc = "squared loss and l2 in closed form: one eigendecomposition for a whole path",
  .source = "Hoerl & Kennard 1970, Technometrics 12(1); Golub & Van Loan 2013, Matrix "
            "Computations, 6.1",
  .rank = 20,
  .fits = fits,
  .open = open,
  .solve = solve,
  .close = shut,
  .max = max,
};
