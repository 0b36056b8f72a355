/* Descent block by block: groups with a group penalty, or coefficients one by one where there
 * are several predictors. The loss is replaced by a quadratic model (itself, for squared loss)
 * whose minimum over a working set, by coordinate descent, gives the direction of a line
 * search. The working set starts with the sequential strong rule and takes in what the full
 * gradient, looked at only when the set is settled, finds wrong. */
#include <string.h>

#include "core/interrupt.h"
#include "core/mem.h"
#include "solver/centre.h"
#include "solver/dual.h"
#include "solver/model.h"
#include "solver/sight.h"

typedef struct work {
  lar_blocks blocks;
  lar_model model;
  lar_sight sight;
  double *block, *grad, *slope, *eta, *turn, *before, *before0;
  double *past, past_at; /* coefficients and intercepts of the point before last, and where */
  int64_t *list, *features, count;
  char *in;
  bool exact;           /* the model is the loss */
  bool looked;          /* grad is of the last point's end, as far as it was looked at */
  double dual, dual_at; /* the highest value of the dual at that strength */
  double fine;          /* how far off, in units of gradients, a point may be for its gap */
  double damp;          /* second derivatives are taken so many times: 1, unless steps fail */
} work;

static lar_status fits(const lar_problem *g) {
  lar_blocks B;
  if (lar_family_kinked(g->family, g->self))
    return lar_fail(LAR_EARG,
                    "solver 'block' needs a smooth loss; %s has kinks: give it a width",
                    g->family->name);
  lar_status st = lar_blocks_open(&B, g, "block");
  if (st == LAR_OK && B.largest > 2048)
    st = lar_fail(LAR_EARG,
                  "solver 'block' takes groups of at most 2048 coefficients; one has "
                  "%lld: use 'fista'",
                  (long long)B.largest);
  lar_blocks_close(&B);
  return st;
}

static void shut(void *opened) {
  work *w = opened;
  if (w == NULL) return;
  lar_model_close(&w->model);
  lar_sight_close(&w->sight);
  lar_blocks_close(&w->blocks);
  lar_free(w->block);
  lar_free(w->list);
  lar_free(w->in);
  lar_free(w);
}

static const double MOST_DAMP = 1e6;

static lar_status make(work *w, const lar_problem *g) {
  const int64_t k = g->rows.k, m = g->x->p * k, n = g->x->n * k;
  void *p;
  LAR_TRY(lar_blocks_open(&w->blocks, g, "block"));
  LAR_TRY(lar_model_open(&w->model, g, &w->blocks));
  LAR_TRY(lar_sight_open(&w->sight, g, &w->blocks));
  LAR_TRY(lar_alloc(&p, (size_t)(3 * m + 3 * n + 2 * k) + 1, sizeof(double)));
  w->block = p, w->grad = w->block, w->before = w->grad + m, w->slope = w->before + m;
  w->eta = w->slope + n, w->turn = w->eta + n, w->before0 = w->turn + n;
  w->past = w->before0 + k, w->past_at = w->dual_at = -1;
  LAR_TRY(lar_alloc(&p, (size_t)(w->blocks.n + g->x->p) + 1, sizeof(int64_t)));
  w->list = p, w->features = w->list + w->blocks.n;
  LAR_TRY(lar_alloc(&p, (size_t)(w->blocks.n + g->x->p) + 1, 1));
  w->in = p;
  w->exact = (g->family->traits & LAR_FAM_QUADRATIC) != 0;
  w->fine = g->tol * 10;
  w->damp = 1;
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

static void gather(const lar_blocks *B, int64_t q, const double *flat, double *v) {
  for (int64_t i = B->start[q], k = 0; i < B->start[q + 1]; i++, k++) v[k] = flat[B->coord[i]];
}

static bool empty(const lar_blocks *B, int64_t q, const double *b) {
  for (int64_t i = B->start[q]; i < B->start[q + 1]; i++)
    if (b[B->coord[i]] != 0) return false;
  return true;
}

/* Take in all blocks that are not 0, or that strength lambda does not hold at 0; returns how
 * many are new. */
static int64_t take_in(work *w, const double *b, double lambda) {
  lar_blocks *B = &w->blocks;
  int64_t news = 0;
  for (int64_t q = 0; q < B->n; q++) {
    if (w->in[q]) continue;
    double *v = w->model.part;
    gather(B, q, w->grad, v);
    if (empty(B, q, b) && (!(lambda >= 0) || lar_block_holds(B, q, v, lambda))) continue;
    w->in[q] = 1;
    w->list[w->count++] = q;
    news++;
  }
  return news;
}

/* Gradients of the features in the working set, from the slopes by rows. */
static void look_at_set(work *w, const lar_problem *g) {
  const lar_blocks *B = &w->blocks;
  const int64_t p = g->x->p;
  char *seen = w->in + B->n;
  int64_t m = 0;
  memset(seen, 0, (size_t)p);
  for (int64_t l = 0; l < w->count; l++)
    for (int64_t i = B->start[w->list[l]]; i < B->start[w->list[l] + 1]; i++) {
      int64_t j = B->coord[i] % p;
      if (!seen[j]) w->features[m++] = j;
      seen[j] = 1;
    }
  lar_design_tmul_each(g->x, w->slope, g->rows.k, w->features, m, w->before);
  for (int64_t c = 0; c < g->rows.k; c++)
    for (int64_t l = 0; l < m; l++) w->grad[c * p + w->features[l]] = w->before[c * m + l];
}

/* ---- how far off ---- */

/* Block q's distance from its optimum, in units of gradients: by a short proximal step. */
static lar_status off_block(work *w, int64_t q, const double *b, double *out) {
  lar_blocks *B = &w->blocks;
  const int64_t m = lar_block_size(B, q);
  double *now = w->model.part, *v = now + B->largest, square = 0, size = 0, slope = 0;
  gather(B, q, b, now);
  gather(B, q, w->grad, v);
  for (int64_t k = 0; k < m; k++) {
    v[k] += B->lambda * B->s[B->start[q] + k] * now[k];
    size += now[k] * now[k];
    slope += v[k] * v[k];
  }
  /* no coefficient crosses 0 on so short a step, and few digits are lost */
  double step = size > 0 && slope > 0 ? 1e-3 * sqrt(size / slope) : 1e-3;
  for (int64_t k = 0; k < m; k++) v[k] = now[k] - step * v[k];
  LAR_TRY(lar_block_prox(B, q, step, v));
  for (int64_t k = 0; k < m; k++) square += (v[k] - now[k]) * (v[k] - now[k]);
  *out = sqrt(square) / step;
  return LAR_OK;
}

static lar_status off_set(work *w, const double *b, const int64_t *list, int64_t count,
                          double *out) {
  const lar_problem *g = w->model.g;
  *out = 0;
  for (int64_t c = 0; g->intercept && c < g->rows.k; c++)
    *out = fmax(*out, fabs(lar_total(w->slope + c * g->x->n, g->x->n)));
  for (int64_t l = 0; l < count; l++) {
    double one;
    LAR_TRY(off_block(w, list != NULL ? list[l] : l, b, &one));
    *out = fmax(*out, one);
  }
  return LAR_OK;
}

static lar_status penalty_of(work *w, const double *b, double *out) {
  lar_blocks *B = &w->blocks;
  *out = 0;
  for (int64_t q = 0; q < B->n; q++) {
    double one;
    if (empty(B, q, b)) continue;
    gather(B, q, b, w->model.part);
    LAR_TRY(lar_block_value(B, q, w->model.part, &one));
    *out += one;
  }
  return LAR_OK;
}

/* Slopes by rows at the point, whose predictors are known. */
static lar_status slope(work *w, const lar_problem *g, lar_point *at) {
  LAR_TRY(g->family->slopes(g->self, &g->rows, at->eta, w->slope, w->model.h));
  return g->family->value(g->self, &g->rows, at->eta, &at->loss);
}

static lar_status expand(work *w, const lar_problem *g, lar_point *at) {
  lar_predict(g, at->coef, at->intercept, at->eta);
  return slope(w, g, at);
}

/* The same, with the intercepts made exact, for all features that matter. */
static lar_status expand_fully(work *w, const lar_problem *g, lar_point *at) {
  LAR_TRY(lar_centre(g, at->eta, at->intercept, w->slope));
  LAR_TRY(lar_sight_around(&w->sight, w->in, w->slope, w->grad));
  return g->family->value(g->self, &g->rows, at->eta, &at->loss);
}

/* The gap, with the highest value of the dual that has been seen here; NaN: there is none.
 * *own: the gap with the dual point share u. */
static lar_status weigh(work *w, const lar_problem *g, const double *u, const double *grad,
                        lar_point *at, double *share, double *own) {
  double dual;
  LAR_TRY(lar_blocks_dual(&w->blocks, g, u, grad, w->turn, w->model.part, share, &dual));
  if (w->dual_at != at->lambda) w->dual = -HUGE_VAL;
  w->dual_at = at->lambda;
  w->dual = fmax(w->dual, dual); /* NaN is passed over */
  *own = at->value - dual;
  at->gap =
    isnan(dual) ? dual : (at->value - w->dual) / (g->null_value > 0 ? g->null_value : 1);
  return LAR_OK;
}

static lar_status certify(work *w, const lar_problem *g, lar_point *at) {
  double penalty, off, share, own;
  LAR_TRY(penalty_of(w, at->coef, &penalty));
  at->value = at->loss + penalty;
  LAR_TRY(off_set(w, at->coef, NULL, w->blocks.n, &off));
  LAR_TRY(weigh(w, g, w->slope, w->grad, at, &share, &own));
  at->kkt = off / (g->null_slope > 0 ? g->null_slope : 1);
  lar_sight_screen(&w->sight, w->in, w->grad, share, lar_dual_ball(g, w->slope, share, own));
  return LAR_OK;
}

static bool good(const lar_problem *g, const lar_point *at) {
  return isnan(at->gap) ? at->kkt <= g->tol : at->gap <= g->tol;
}

/* Where slopes are heading, seen from the sweeps done, is the better dual point. */
static lar_status look_ahead(work *w, const lar_problem *g, lar_point *at) {
  const int64_t m = g->x->p * g->rows.k, n = g->x->n;
  double share, own, before = w->dual, *u = w->model.ahead;
  if (!w->model.heading || isnan(at->gap) || good(g, at)) return LAR_OK;
  for (int64_t c = 0; g->intercept && c < g->rows.k; c++) {
    const double sum = lar_total(u + c * n, n);
    for (int64_t i = 0; i < n; i++) u[c * n + i] -= sum * g->rows.w[i];
  }
  LAR_TRY(lar_sight_around(&w->sight, w->in, u, w->before));
  LAR_TRY(weigh(w, g, u, w->before, at, &share, &own));
  if (w->dual > before && good(g, at)) {
    memcpy(w->slope, u, (size_t)(n * g->rows.k) * sizeof *u);
    memcpy(w->grad, w->before, (size_t)m * sizeof *u);
    return LAR_OK;
  }
  return lar_sight_around(&w->sight, w->in, w->slope, w->grad);
}

/* ---- the model ---- */

/* F + penalty at b + t (b_new - b), where eta moves by t turn. */
static lar_status at_step(work *w, const lar_problem *g, const lar_point *at, double t,
                          double *b, double *value, double *loss) {
  const int64_t m = g->x->p * g->rows.k, n = g->x->n * g->rows.k;
  double penalty;
  for (int64_t i = 0; i < n; i++) w->eta[i] = at->eta[i] + t * w->turn[i];
  LAR_TRY(g->family->value(g->self, &g->rows, w->eta, loss));
  for (int64_t j = 0; j < m; j++)
    b[j] = t == 1 ? at->coef[j] : w->before[j] + t * (at->coef[j] - w->before[j]);
  LAR_TRY(penalty_of(w, b, &penalty));
  *value = *loss + penalty;
  return LAR_OK;
}

/* From before towards coef: the first of 1, 1/2, 1/4 ... at which the objective falls by a part
 * of what its slope promises. *moved: is there one? */
static lar_status search(work *w, const lar_problem *g, lar_point *at, bool *moved) {
  enum { HALVES = 40 };
  const int64_t n = g->x->n, p = g->x->p, k = g->rows.k, m = p * k;
  double old, value, loss, start, t = 1, promise = 0, *b = w->grad;
  LAR_TRY(penalty_of(w, w->before, &start));
  LAR_TRY(penalty_of(w, at->coef, &value));
  old = at->loss + start;
  for (int64_t j = 0; j < m; j++) b[j] = at->coef[j] - w->before[j];
  for (int64_t c = 0; c < k; c++)
    lar_design_mul(g->x, b + c * p, at->intercept[c] - w->before0[c], w->turn + c * n);
  for (int64_t i = 0; i < n * k; i++) promise += w->slope[i] * w->turn[i];
  promise = w->blocks.convex ? fmin(promise + value - start, 0) : 0;
  *moved = false;
  for (int half = 0; half < HALVES && !*moved; half++, t /= 2) {
    LAR_TRY(at_step(w, g, at, t, b, &value, &loss));
    if (!(value <= old + 1e-3 * t * promise + 1e-15 * fabs(old))) continue;
    *moved = true;
    for (int64_t c = 0; c < k; c++)
      at->intercept[c] = w->before0[c] + t * (at->intercept[c] - w->before0[c]);
    memcpy(at->coef, b, (size_t)m * sizeof *b);
  }
  if (*moved) return LAR_OK;
  memcpy(at->coef, w->before, (size_t)m * sizeof *b);
  memcpy(at->intercept, w->before0, (size_t)k * sizeof *b);
  return LAR_OK;
}

/* Rows that depend on each other, in full where the working set is small. */
static lar_status join(work *w, const lar_problem *g, const lar_point *at) {
  double loss;
  LAR_TRY(g->family->value(g->self, &g->rows, at->eta, &loss));
  return lar_model_join(&w->model, w->list, w->count, w->grad, w->damp);
}

/* Minimise the model over the working set, and go as far as the loss agrees. */
static lar_status advance(work *w, const lar_problem *g, double fine, lar_point *at,
                          bool *moved) {
  const int64_t m = g->x->p * g->rows.k, n = g->x->n * g->rows.k;
  memcpy(w->model.u, w->slope, (size_t)n * sizeof(double));
  w->model.origin = w->slope;
  if (!w->exact) lar_model_curve(&w->model, at->eta, w->damp, w->turn);
  w->model.alike = (g->family->traits & LAR_FAM_MULTI) != 0;
  lar_model_renew(&w->model, !w->exact || w->model.now == 1);
  memcpy(w->before, at->coef, (size_t)m * sizeof(double));
  memcpy(w->before0, at->intercept, (size_t)g->rows.k * sizeof(double));
  if (g->family->joint != NULL) LAR_TRY(join(w, g, at));
  LAR_TRY(lar_model_descend(&w->model, w->list, w->count, fine, g->max_iter - at->iterations,
                            at->coef, at->intercept, &at->iterations));
  *moved = true;
  return w->exact ? LAR_OK : search(w, g, at, moved);
}

/* ---- a point ---- */

/* A path goes on about as it went, which is the better start where the objective says so. */
static lar_status leap(work *w, const lar_problem *g, double previous, lar_point *at) {
  const int64_t m = g->x->p * g->rows.k, k = g->rows.k;
  const double t = (previous - at->lambda) / (w->past_at - previous);
  double here, there, loss, *b = w->before, *b0 = w->before0, *past0 = w->past + m;
  bool ready = w->past_at > previous && previous < HUGE_VAL && t > 0 && t <= 2;
  for (int64_t j = 0; j < m; j++) {
    const double now = at->coef[j], next = now + t * (now - w->past[j]);
    b[j] = now * w->past[j] > 0 && now * next > 0 ? next : now;
    w->past[j] = now;
  }
  for (int64_t c = 0; c < k; c++) {
    b0[c] = at->intercept[c] + t * (at->intercept[c] - past0[c]);
    past0[c] = at->intercept[c];
  }
  w->past_at = previous;
  if (!ready || !w->blocks.convex || w->blocks.lo != NULL) return LAR_OK;
  LAR_TRY(penalty_of(w, at->coef, &here));
  LAR_TRY(penalty_of(w, b, &there));
  lar_predict(g, b, b0, w->eta);
  LAR_TRY(g->family->value(g->self, &g->rows, w->eta, &loss));
  if (!(loss + there < at->loss + here)) return LAR_OK;
  memcpy(at->coef, b, (size_t)m * sizeof *b);
  memcpy(at->intercept, b0, (size_t)k * sizeof *b);
  return expand(w, g, at);
}

static lar_status start(work *w, const lar_problem *g, double previous, lar_point *at) {
  w->blocks.lambda = at->lambda;
  w->count = 0;
  memset(w->in, 0, (size_t)w->blocks.n);
  const bool known = w->looked && previous < HUGE_VAL;
  const double ahead = known ? 2 * at->lambda - previous : at->lambda;
  if (known) lar_sight_closer(&w->sight, ahead, w->slope, w->grad);
  LAR_TRY(known ? slope(w, g, at) : expand(w, g, at));
  if (!known) {
    LAR_TRY(lar_centre(g, at->eta, at->intercept, w->slope));
    lar_sight_all(&w->sight, w->slope, w->grad);
    LAR_TRY(g->family->value(g->self, &g->rows, at->eta, &at->loss));
  }
  w->looked = false;
  take_in(w, at->coef, ahead);
  return leap(w, g, previous, at);
}

/* Until the working set is settled to `fine`. A model whose minimum the loss does not confirm
 * is made steeper. */
static lar_status settle(work *w, const lar_problem *g, double fine, lar_point *at) {
  double off = HUGE_VAL;
  bool moved = true;
  while (at->iterations < g->max_iter && !lar_interrupt_pending()) {
    look_at_set(w, g);
    LAR_TRY(off_set(w, at->coef, w->list, w->count, &off));
    if (off <= fine || w->damp > MOST_DAMP) break;
    LAR_TRY(advance(w, g, w->exact ? fine / 2 : fmax(fine / 2, off / 20), at, &moved));
    LAR_TRY(expand(w, g, at));
    w->damp = moved ? fmax(w->damp / 2, 1) : w->damp * 4;
  }
  w->damp = 1;
  return LAR_OK;
}

static lar_status solve(void *opened, const lar_problem *g, double previous, lar_point *at) {
  work *w = opened;
  const double unit = g->null_slope > 0 ? g->null_slope : 1;
  const double least = 1e-13 * unit;
  w->model.g = w->sight.g = g;
  at->iterations = 0;
  at->status = LAR_MAX_ITER;
  LAR_TRY(start(w, g, previous, at));
  for (int round = 0;; round++) {
    LAR_TRY(settle(w, g, fmax(w->fine * unit, least), at));
    LAR_TRY(expand_fully(w, g, at));
    LAR_TRY(certify(w, g, at));
    LAR_TRY(look_ahead(w, g, at));
    if (good(g, at))
      at->status = lar_unbounded(g, at, 10 * g->tol) ? LAR_UNBOUNDED : LAR_CONVERGED;
    if (lar_interrupt_pending()) at->status = LAR_INTERRUPTED;
    if (at->status != LAR_MAX_ITER || at->iterations >= g->max_iter) break;
    if (take_in(w, at->coef, at->lambda) > 0) continue;
    if (w->fine * unit <= least) break; /* no digits left */
    w->fine /= 4;
  }
  w->looked = true;
  w->fine = fmin(w->fine * 1.2, isnan(at->gap) ? g->tol / 2 : 1e-2);
  at->df = lar_coefs_df(at->coef, g->x->p, g->rows.k);
  return LAR_OK;
}

/* ---- the largest lambda ---- */

/* At a strength that holds all that can be held, what is free finds its place. */
static lar_status fit_free(work *w, const lar_problem *g, double lambda) {
  const int64_t k = g->rows.k, m = g->x->p * k, n = g->x->n * k;
  void *p;
  LAR_TRY(lar_alloc(&p, (size_t)(m + k + n) + 1, sizeof(double)));
  lar_point at = {.lambda = lambda, .coef = p};
  at.intercept = at.coef + m, at.eta = at.intercept + k;
  w->fine = g->tol * 1e-3;
  lar_status st = solve(w, g, HUGE_VAL, &at);
  if (st == LAR_OK) st = expand(w, g, &at);
  if (st == LAR_OK) lar_sight_all(&w->sight, w->slope, w->grad);
  lar_free(p);
  return st;
}

static void greatest(work *w, double *out) {
  *out = 0;
  for (int64_t q = 0; q < w->blocks.n; q++) {
    gather(&w->blocks, q, w->grad, w->model.part);
    *out = lar_block_max(&w->blocks, q, w->model.part, *out);
  }
}

static lar_status max(void *opened, const lar_problem *g, const double *corr, double *out) {
  work *w = opened;
  const lar_penalty *other = w->blocks.other;
  bool any = false;
  if (other != NULL && !w->blocks.knee && (other->traits & LAR_GROUPED) != 0 &&
      (other->traits & LAR_NORM) == 0 && other->at_max == NULL) {
    *out = HUGE_VAL;
    if (w->blocks.convex) return LAR_OK;
    return lar_fail(LAR_EARG, "no lambda of %s holds every coefficient at 0; give lambda",
                    other->name);
  }
  memcpy(w->grad, corr, (size_t)(g->x->p * g->rows.k) * sizeof(double));
  greatest(w, out);
  for (int64_t q = 0; q < w->blocks.n; q++) any = any || lar_block_free(&w->blocks, q);
  if (!any) return LAR_OK;
  LAR_TRY(fit_free(w, g, *out > 0 ? *out * 1e3 : 1));
  greatest(w, out);
  return LAR_OK;
}

LAR_ENTRY(solver, block) = {
  .name = "block",
  .doc = "coordinate descent block by block: groups, and several predictors",
  .source =
    "Tseng & Yun 2009, Math. Program. 117; strong rules: Tibshirani et al. 2012, JRSS "
    "B 74(2); screening: Ndiaye et al. 2017, JMLR 18; dual points: Massias et al. 2020, "
    "JMLR 21",
  .rank = 5,
  .fits = fits,
  .open = open,
  .solve = solve,
  .close = shut,
  .max = max,
};
