/* Coordinate descent by rows: a coefficient costs the entries of its column. The slopes by rows
 * are u + shift h, where shift takes up what centring spreads over all of them. Rounds over the
 * coefficients that are not 0 are extrapolated (Bertrand & Massias 2021, Anderson acceleration
 * of coordinate descent, AISTATS), where that lowers the objective. */
#include <math.h>
#include <string.h>

#include "core/interrupt.h"
#include "core/mem.h"
#include "kern/flat.h"
#include "solver/quad.h"

enum { DEPTH = 5 };

typedef struct state {
  lar_quad *q;
  const lar_scalar *s;
  const lar_metric *metric;
  double *u, shift;
  int64_t n; /* members that are not 0, listed in `in` */
  int64_t *in;
  double *past;  /* DEPTH + 1 points of n */
  double *there; /* u at the extrapolated point */
  double dual;   /* the highest value of the dual that has been met */
  bool dually;   /* is there a dual? */
  lar_until until;
} state;

/* What a round saw before it moved: see lar_quad_left. */
typedef struct seen {
  double left, size, far;
  int64_t came; /* how many left 0 */
} seen;

/* The mean of column k's raw entries in the metric. */
static inline double mean_of(const lar_quad *q, int64_t k, double scale) {
  return q->centre ? q->mean[k] * scale + lar_design_mean(q->x, q->at[k]) : 0;
}

/* v += d h z_k, but for a multiple of h that goes to *shift. */
static inline void add(const state *t, int64_t k, double d, double *v, double *shift) {
  const lar_quad *q = t->q;
  int64_t j = q->at[k];
  double scale = lar_design_scale(q->x, j);
  bool flat = t->metric->flat > 0;
  d /= scale;
  lar_design_axpy(q->x, j, flat ? d * t->metric->flat : d, flat ? NULL : t->metric->h, v);
  *shift -= d * mean_of(q, k, scale);
}

/* z_k'(u + shift h) */
static inline double slope_of(const state *t, int64_t k, const double *u, double shift) {
  const lar_quad *q = t->q;
  int64_t j = q->at[k];
  double scale = lar_design_scale(q->x, j), slope = lar_design_dot(q->x, j, u);
  if (q->centre) slope += shift * mean_of(q, k, scale) * t->metric->weight;
  return slope / scale;
}

static void visit(state *t, int64_t k, seen *out) {
  lar_quad *q = t->q;
  int64_t j = q->at[k];
  double c = q->curve[k], old = q->b[k];
  if (!(c > 1e-300)) return;
  double d = lar_quad_best(t->s, j, old, slope_of(t, k, t->u, t->shift), c) - old;
  out->size += fabs(old + d);
  if (d == 0) return;
  q->b[k] = old + d;
  out->came += old == 0;
  out->left += c * fabs(d * old);
  out->far = c * fabs(d) > out->far ? c * fabs(d) : out->far;
  add(t, k, d, t->u, &t->shift);
}

static bool enough(const seen *r, double gap, double kkt) {
  return r->far == 0 || (isnan(gap) ? r->far <= kkt : r->left + r->far * r->size <= gap);
}

static seen round_of_all(state *t) {
  seen out = {0};
  for (int64_t k = 0; k < t->q->m; k++) visit(t, k, &out);
  t->n = 0;
  for (int64_t k = 0; k < t->q->m; k++)
    if (t->q->b[k] != 0) t->in[t->n++] = k;
  return out;
}

static seen round_of_few(state *t) {
  seen out = {0};
  for (int64_t c = 0; c < t->n; c++) visit(t, t->in[c], &out);
  return out;
}

/* ---- extrapolation ---- */

static void remember(state *t, int at) {
  double *to = t->past + at * t->n;
  for (int64_t c = 0; c < t->n; c++) to[c] = t->q->b[t->in[c]];
}

/* Weights of the points that make their combination move least. */
static bool weights(const state *t, double *out) {
  double square[DEPTH * DEPTH] = {0}, most = 0, sum = 0;
  for (int a = 0; a < DEPTH; a++)
    for (int b = 0; b <= a; b++) {
      const double *x = t->past + a * t->n, *y = t->past + b * t->n;
      double dot = 0;
#pragma omp simd reduction(+ : dot)
      for (int64_t c = 0; c < t->n; c++) dot += (x[t->n + c] - x[c]) * (y[t->n + c] - y[c]);
      square[b * DEPTH + a] = dot;
      if (a == b && dot > most) most = dot;
    }
  for (int a = 0; a < DEPTH; a++) {
    square[a * DEPTH + a] += 1e-14 * most;
    out[a] = 1;
  }
  if (!lar_flat_cholesky(DEPTH, square, DEPTH)) return false;
  lar_flat_cholesky_solve(DEPTH, square, DEPTH, out);
  for (int a = 0; a < DEPTH; a++) sum += out[a];
  for (int a = 0; a < DEPTH; a++) out[a] /= sum;
  return isfinite(sum) && sum != 0;
}

static double energy(const state *t, const double *u, double shift) {
  const double *h = t->metric->h;
  double sum = 0;
  for (int64_t i = 0; i < t->q->x->n; i++) {
    double v = u[i] + shift * h[i];
    sum += h[i] > 0 ? v * v / h[i] : 0;
  }
  return sum / 2;
}

/* How far beyond its strength the slope of member k is, as a multiple of that. */
static double beyond(const state *t, int64_t k, double slope) {
  double a = t->s->a[t->q->at[k]];
  return a > 0 ? fabs(slope) / (t->s->lambda * a) : 0;
}

static double dual_of(double e, double along, double most) {
  double share = e > 0 ? (2 * e - along) / (2 * e) : 1;
  if (share <= 0) return 0; /* at 0 itself */
  if (share * most > 1) share = 1 / most;
  return share * (2 * e - along - share * e);
}

/* The dual's value at the best multiple of the slopes u + shift h, where the energy is e and
 * the coefficients are b: at an extrapolated point it is often far better than the objective
 * (Massias, Gramfort & Salmon 2018, ICML). Members that are 0 are asked whether they are within
 * their strengths only where it matters: where it would be enough. The highest is kept. */
static void lift(state *t, const double *u, double shift, const double *b, double e,
                 double enough) {
  double along = 0, most = 0;
  for (int64_t c = 0; c < t->n; c++) {
    double slope = slope_of(t, t->in[c], u, shift);
    along += b[c] * slope;
    most = fmax(most, beyond(t, t->in[c], slope));
  }
  if (dual_of(e, along, most) < enough) return;
  for (int64_t k = 0; k < t->q->m; k++)
    if (t->q->b[k] == 0) most = fmax(most, beyond(t, k, slope_of(t, k, u, shift)));
  t->dual = fmax(t->dual, dual_of(e, along, most));
}

/* Of those that are in, at b; NULL: where they are. */
static double penalty_of(const state *t, const double *b) {
  double sum = 0;
  for (int64_t c = 0; c < t->n; c++) {
    const int64_t k = t->in[c];
    sum += lar_scalar_value(t->s, t->q->at[k], b != NULL ? b[c] : t->q->b[k]);
  }
  return sum;
}

/* The combination of the points, without what changes its sign, and slopes by rows there. */
static double *combine(state *t, const double *w, double *shift) {
  double *to = t->past;
  const lar_quad *q = t->q;
  memcpy(t->there, t->u, (size_t)q->x->n * sizeof(double));
  for (int64_t c = 0; c < t->n; c++) {
    int64_t k = t->in[c], j = q->at[k];
    double b = 0;
    for (int a = 0; a < DEPTH; a++) b += w[a] * t->past[(a + 1) * t->n + c];
    if (q->b[k] * b < 0) b = 0;
    if (t->s->lo != NULL) b = fmin(fmax(b, t->s->lo[j]), t->s->hi[j]);
    to[c] = b;
    if (b != q->b[k]) add(t, k, b - q->b[k], t->there, shift);
  }
  return to;
}

/* The extrapolated point is taken where the objective is lower; its slopes serve the dual. What
 * is left of the gap between the two, where that is `gap` or less. */
static double extrapolate(state *t, double gap) {
  double w[DEPTH], shift = t->shift, *now = t->past + DEPTH * t->n;
  lar_quad *q = t->q;
  if (!weights(t, w)) return HUGE_VAL;
  double *to = combine(t, w, &shift), value = energy(t, t->u, t->shift) + penalty_of(t, now);
  double e = energy(t, t->there, shift), then = e + penalty_of(t, to);
  if (t->dually) lift(t, t->there, shift, to, e, fmin(then, value) - gap);
  if (!(then < value)) return value - t->dual;
  memcpy(t->u, t->there, (size_t)q->x->n * sizeof(double));
  t->shift = shift;
  for (int64_t c = 0; c < t->n; c++) q->b[t->in[c]] = to[c];
  return then - t->dual;
}

/* ---- rounds ---- */

/* Is the objective low enough? Those that are in are all that is not 0. */
static bool reached(const state *t) {
  if (t->until.goal == -HUGE_VAL) return false;
  return energy(t, t->u, t->shift) + penalty_of(t, NULL) <= t->until.goal;
}

/* Those that are not 0, until they are near enough; how many rounds. *near: are they? */
static int64_t settle(state *t, int64_t most, bool *near) {
  enum { INNER = 60 };
  const double gap = 0.8 * t->until.gap, kkt = t->until.kkt / 2;
  int at = 0;
  *near = true;
  if (most > INNER) most = INNER;
  for (int64_t k = 0; k < most; k++) {
    remember(t, at);
    if (at == DEPTH) {
      if (extrapolate(t, gap) <= gap) return k;
      at = 0;
      remember(t, at);
    }
    seen r = round_of_few(t);
    at++;
    if (enough(&r, gap, kkt) || reached(t)) return k + 1;
  }
  *near = false;
  return most;
}

/* Members in the order of their columns, which lie in memory so. room: 4 m. */
static void put_in_order(lar_quad *q, double *room) {
  double *const of[] = {q->b, q->slope, q->mean, q->curve};
  int64_t m = 0;
  for (int a = 0; a < 4; a++) memcpy(room + a * q->m, of[a], (size_t)q->m * sizeof(double));
  for (int64_t j = 0; j < q->x->p; j++) {
    int64_t k = q->place[j] - 1;
    if (k < 0) continue;
    for (int a = 0; a < 4; a++) of[a][m] = room[a * q->m + k];
    q->at[m++] = j;
    q->place[j] = (int32_t)m;
  }
}

lar_status lar_quad_descend(lar_quad *q, const lar_scalar *s, const lar_metric *metric,
                            double *u, lar_until until, int64_t *rounds) {
  int64_t n = q->x->n;
  void *in, *past;
  *rounds = 0;
  LAR_TRY(lar_alloc_raw(&in, (size_t)q->m + 1, sizeof(int64_t)));
  lar_status st = lar_alloc_raw(&past, (size_t)((DEPTH + 1) * q->m + n), sizeof(double));
  if (st != LAR_OK) {
    lar_free(in);
    return st;
  }
  state t = {.q = q, .s = s, .metric = metric, .u = u, .in = in, .there = past, .until = until};
  t.past = t.there + n;
  put_in_order(q, t.past);
  t.dual = -HUGE_VAL, t.dually = !isnan(until.gap) && s->b == NULL && s->lo == NULL;
  bool near = false;
  while (*rounds < until.most) {
    seen r = round_of_all(&t);
    ++*rounds;
    if ((near && r.came == 0) || enough(&r, until.gap, until.kkt) || reached(&t)) break;
    if (lar_interrupt_pending()) break;
    *rounds += settle(&t, until.most - *rounds, &near);
    if (reached(&t)) break;
  }
  for (int64_t i = 0; t.shift != 0 && i < n; i++) u[i] += t.shift * metric->h[i];
  lar_free(in);
  lar_free(past);
  return LAR_OK;
}
