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
} state;

/* What a round saw before it moved: see lar_quad_left. */
typedef struct seen {
  double left, size, far;
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

static void visit(state *t, int64_t k, seen *out) {
  lar_quad *q = t->q;
  int64_t j = q->at[k];
  double c = q->curve[k], scale = lar_design_scale(q->x, j), old = q->b[k];
  if (!(c > 1e-300)) return;
  double slope = lar_design_dot(q->x, j, t->u);
  if (q->centre) slope += t->shift * mean_of(q, k, scale) * t->metric->weight;
  double d = lar_quad_best(t->s, j, old, slope / scale, c) - old;
  out->size += fabs(old + d);
  if (d == 0) return;
  q->b[k] = old + d;
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

/* The combination of the points, taken where the objective is lower there. */
static void extrapolate(state *t) {
  double w[DEPTH], change = 0, shift = t->shift, *to = t->past;
  lar_quad *q = t->q;
  if (!weights(t, w)) return;
  memcpy(t->there, t->u, (size_t)q->x->n * sizeof(double));
  for (int64_t c = 0; c < t->n; c++) {
    int64_t k = t->in[c], j = q->at[k];
    double b = 0;
    for (int a = 0; a < DEPTH; a++) b += w[a] * t->past[(a + 1) * t->n + c];
    if (q->b[k] * b < 0) b = 0;
    if (t->s->lo != NULL) b = fmin(fmax(b, t->s->lo[j]), t->s->hi[j]);
    to[c] = b;
    if (b == q->b[k]) continue;
    add(t, k, b - q->b[k], t->there, &shift);
    change += lar_scalar_value(t->s, j, b) - lar_scalar_value(t->s, j, q->b[k]);
  }
  if (!(energy(t, t->there, shift) + change < energy(t, t->u, t->shift))) return;
  memcpy(t->u, t->there, (size_t)q->x->n * sizeof(double));
  t->shift = shift;
  for (int64_t c = 0; c < t->n; c++) q->b[t->in[c]] = to[c];
}

/* ---- rounds ---- */

/* Those that are not 0, until they are near enough; how many rounds. */
static int64_t settle(state *t, double gap, double kkt, int64_t most) {
  enum { INNER = 60 };
  int at = 0;
  if (most > INNER) most = INNER;
  for (int64_t k = 0; k < most; k++) {
    remember(t, at);
    if (at == DEPTH) {
      extrapolate(t);
      at = 0;
      remember(t, at);
    }
    seen r = round_of_few(t);
    at++;
    if (enough(&r, gap, kkt)) return k + 1;
  }
  return most;
}

lar_status lar_quad_descend(lar_quad *q, const lar_scalar *s, const lar_metric *metric,
                            double *u, double gap, double kkt, int64_t most, int64_t *rounds) {
  int64_t n = q->x->n;
  void *in, *past;
  *rounds = 0;
  LAR_TRY(lar_alloc_raw(&in, (size_t)q->m + 1, sizeof(int64_t)));
  lar_status st = lar_alloc_raw(&past, (size_t)((DEPTH + 1) * q->m + n), sizeof(double));
  if (st != LAR_OK) {
    lar_free(in);
    return st;
  }
  state t = {.q = q, .s = s, .metric = metric, .u = u, .in = in, .there = past};
  t.past = t.there + n;
  while (*rounds < most) {
    seen r = round_of_all(&t);
    ++*rounds;
    if (enough(&r, gap, kkt) || lar_interrupt_pending()) break;
    *rounds += settle(&t, gap / 2, kkt / 2, most - *rounds);
  }
  for (int64_t i = 0; t.shift != 0 && i < n; i++) u[i] += t.shift * metric->h[i];
  lar_free(in);
  lar_free(past);
  return LAR_OK;
}
