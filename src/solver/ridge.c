/* Squared loss with a quadratic penalty s/2 |b|^2: one eigendecomposition serves a whole path.
 * With r = y - offset, centred, and A = W^1/2 Z:
 *   p <= n: A'A = V diag(d) V', b = V ((V'A'W^1/2 r) / (d + s));
 *   p > n:  A A' = V diag(d) V', b = A'a with a = V ((V'W^1/2 r) / (d + s)).
 * All but b itself is then found in the smaller space, the slope of the objective too.
 * Weights f of the columns: z_j / f_j^1/2 has the coefficient f_j^1/2 b_j, of weight 1. What is
 * free (0) is projected out of A and W^1/2 r, and its coefficients follow from what is left. */
#include <string.h>

#include "core/interrupt.h"
#include "core/mem.h"
#include "core/par.h"
#include "kern/flat.h"
#include "kern/lapack.h"
#include "solver/centre.h"
#include "solver/coefs.h"
#include "solver/loose.h"

enum { MOST = 8192, CHUNK = 256 };

typedef struct work {
  lar_problem g; /* with columns that are weighted, and 0 where they are free */
  lar_design x;
  double *scale;  /* of those columns, or NULL, */
  double *factor; /* and their weights: strengths as shares of base */
  lar_loose free;
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
    if (one.a != 0 || one.lo > -HUGE_VAL || one.hi < HUGE_VAL)
      return lar_fail(LAR_EARG, "solver 'ridge' takes l2 alone; there is %s: use 'cd'",
                      t->name);
    if (t->weights != NULL && lar_tensor_numel(&t->weights->t) != g->x->p)
      return lar_fail(LAR_EARG,
                      "solver 'ridge' takes a weight for each of the %lld columns; %s has "
                      "%lld: use 'block'",
                      (long long)g->x->p, t->name, (long long)lar_tensor_numel(&t->weights->t));
  }
  if ((g->family->traits & LAR_FAM_QUADRATIC) == 0)
    return lar_fail(LAR_EARG, "solver 'ridge' needs squared loss; %s is another",
                    g->family->name);
  if (g->lower != NULL || g->upper != NULL)
    return lar_fail(LAR_EARG, "solver 'ridge' takes no bounds: use 'cd'");
  int64_t m = g->x->n < g->x->p ? g->x->n : g->x->p;
  if (m > MOST)
    return lar_fail(LAR_EARG,
                    "solver 'ridge' factors a matrix of order min(n, p) = %lld; up "
                    "to %d: use 'cd'",
                    (long long)m, MOST);
  return LAR_OK;
}

/* ---- the matrix ---- */

/* A'A of a compressed design: a column at a time against all. */
static lar_status by_columns(const lar_problem *g, double *out) {
  const int64_t n = g->x->n, p = g->x->p;
  void *room;
  LAR_TRY(lar_alloc_raw(&room, (size_t)n + 1, sizeof(double)));
  double *v = room;
  for (int64_t j = 0; j < p && !lar_interrupt_pending(); j++) {
    lar_root_column(g, j, v);
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
      lar_root_column(g, from + c, v);
      for (int64_t i = 0; i < n; i++) chunk[i * count + c] = v[i];
    }
    lar_flat_square(count, n, chunk, count, out, n);
  }
  lar_free(room);
  return LAR_OK;
}

/* ---- weights ---- */

static bool weighted(const lar_problem *g) {
  bool any = !lar_problem_plain(g);
  for (int i = 0; i < g->penalty->n; i++) any = any || g->penalty->at[i].term->weights != NULL;
  return any;
}

/* The strength of column j; where a weight is infinite, so is it. */
static double strength(const lar_problem *g, int64_t j) {
  double sum = 0, of_column = g->factor != NULL ? g->factor[j] : 1;
  for (int i = 0; i < g->penalty->n; i++) {
    const lar_addend *a = &g->penalty->at[i];
    const lar_term *t = a->term;
    double f = t->weights != NULL ? ((const double *)lar_tensor_data(&t->weights->t))[j] : 1;
    lar_simple one;
    if (f == HUGE_VAL || of_column == HUGE_VAL) return HUGE_VAL;
    t->type->simple(t->self, t->lambda * a->scale, &one);
    sum += one.b * f * of_column;
  }
  return sum;
}

/* Columns as weights have them. */
static lar_status reweigh(work *w, const lar_problem *g) {
  const int64_t p = g->x->p;
  void *v;
  w->g = *g;
  if (!weighted(g) || !(w->base > 0)) return LAR_OK;
  LAR_TRY(lar_alloc(&v, 2 * (size_t)p + 1, sizeof(double)));
  w->scale = v, w->factor = w->scale + p;
  LAR_TRY(lar_alloc(&v, (size_t)p + 1, sizeof(int64_t)));
  w->free.list = v;
  for (int64_t j = 0; j < p; j++) {
    const double f = w->factor[j] = strength(g, j) / w->base;
    if (f == 0) w->free.list[w->free.m++] = j;
    w->scale[j] = f > 0 && f < HUGE_VAL ? lar_design_scale(g->x, j) * sqrt(f) : 0;
  }
  LAR_TRY(lar_loose_factor(&w->free, g));
  w->x = *g->x;
  w->x.scale = w->scale;
  w->g.x = &w->x;
  return LAR_OK;
}

/* ---- the matrix, taken apart ---- */

/* On one thread: LAPACK's own cut the work by their number, and last bits would tell it. */
static lar_status eigh(work *w) {
  const int threads = lar_par_threads();
  lar_par_set_threads(1);
  lar_status st = lar_lapack_eigh(&w->values, &w->vectors, &w->gram);
  lar_par_set_threads(threads);
  return st;
}

static lar_status decompose(work *w) {
  const lar_problem *g = &w->g;
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
  if (w->free.m > 0 && w->rows) lar_loose_kernel(&w->free, m, G);
  if (w->free.m > 0 && !w->rows) LAR_TRY(lar_loose_gram(&w->free, g, G));
  return eigh(w);
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
  lar_free(w->scale);
  lar_loose_close(&w->free);
  lar_free(w);
}

/* Of predictor c: r = y - offset less its mean, times the root of the weights, without what
 * the free columns explain (into v); the parts of that are added to `part`, if any. */
static void residuals(work *w, int64_t c, double *v, double *part) {
  const lar_problem *g = &w->g;
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
  }
  lar_loose_project(&w->free, n, v, part);
  for (int64_t i = 0; i < n; i++) square += v[i] * v[i];
  w->square[c] = square;
}

static lar_status targets(work *w) {
  const lar_problem *g = &w->g;
  const int64_t n = g->x->n;
  void *room;
  LAR_TRY(lar_alloc_raw(&room, (size_t)n + 1, sizeof(double)));
  double *v = room;
  for (int64_t c = 0; c < g->rows.k; c++) {
    double *target = w->target + c * w->m;
    residuals(w, c, v, NULL);
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
  LAR_TRY(reweigh(w, g));
  LAR_TRY(decompose(w));
  return targets(w);
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

/* Coefficients of what is free: the rest of W^1/2 r, less A b of the others, along Q. */
static lar_status free_ones(work *w, const lar_problem *g, int64_t c, double *coef) {
  const int64_t n = g->x->n, m = w->free.m;
  void *room;
  if (m == 0) return LAR_OK;
  LAR_TRY(lar_alloc(&room, (size_t)(2 * n + m) + 1, sizeof(double)));
  double *v = room, *eta = v + n, *part = eta + n;
  residuals(w, c, v, part);
  lar_design_mul(g->x, coef, 0, eta);
  for (int64_t i = 0; i < n; i++) eta[i] *= -sqrt(g->rows.w[i]);
  lar_loose_project(&w->free, n, eta, part);
  lar_loose_solve(&w->free, part);
  for (int64_t k = 0; k < m; k++) coef[w->free.list[k]] = part[k];
  lar_free(room);
  return LAR_OK;
}

/* Of weighted columns back to the caller's. */
static lar_status give_back(work *w, const lar_problem *g, int64_t c, double *coef, sums *out) {
  if (w->scale == NULL) return LAR_OK;
  double most = 0;
  for (int64_t j = 0; j < g->x->p; j++) {
    const double f = w->factor[j];
    coef[j] = f > 0 && f < HUGE_VAL ? coef[j] / sqrt(f) : 0;
    most = f < HUGE_VAL ? fmax(most, sqrt(f)) : most;
  }
  out->most *= most;
  return free_ones(w, g, c, coef);
}

static void predictor(work *w, int64_t c, double s, lar_point *at, sums *out) {
  const lar_problem *g = &w->g;
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
    predictor(w, c, s, at, &one);
    LAR_TRY(give_back(w, g, c, at->coef + c * g->x->p, &one));
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
  work *w = opened;
  const int64_t n = g->x->n, p = g->x->p;
  void *room;
  double most = 0;
  LAR_TRY(lar_alloc_raw(&room, (size_t)(n + p) + 1, sizeof(double)));
  double *v = room, *slope = v + n;
  for (int64_t c = 0; c < g->rows.k; c++) {
    memcpy(slope, corr + c * p, (size_t)p * sizeof *slope);
    if (w->scale != NULL) {
      residuals(w, c, v, NULL);
      for (int64_t i = 0; i < n; i++) v[i] *= sqrt(g->rows.w[i]);
      lar_design_tmul(w->g.x, v, lar_total(v, n), NULL, 0, slope);
    }
    for (int64_t j = 0; j < p; j++) {
      const double f = w->scale != NULL ? w->factor[j] : 1;
      if (f > 0 && f < HUGE_VAL) most = fmax(most, fabs(slope[j]) / sqrt(f));
    }
  }
  *out = w->base > 0 ? most * 1e3 / w->base : 0;
  lar_free(room);
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
