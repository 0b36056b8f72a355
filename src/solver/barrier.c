/* Residuals y - Xb = p - q with p, q >= 0 meet the slacks hi - u and u - lo of the dual: pairs
 * whose products go to 0 together. |b_j| is the loss of a row of its own, 0 - b_j, with the
 * bounds -a_j and a_j. A step of Newton's method takes one factorisation of
 * X'DX + diag: a predictor, then a corrector with the same factor. */
#include "solver/barrier.h"

#include <math.h>
#include <string.h>

#include "core/interrupt.h"
#include "core/mem.h"
#include "kern/flat.h"

/* All N = n + m rows: data, then one for each coefficient. */
typedef struct room {
  int64_t n, m, N;
  double *lo, *hi, *p, *q, *zp, *zq, *r, *D, *t, *du, *dp, *dq, *ap, *aq; /* N each */
  double *db, *sigma, *fit, *kept, *A, *XD;
} room;

static lar_status open(room *w, const lar_barrier *P) {
  void *made;
  *w = (room){.n = P->n, .m = P->m, .N = P->n + P->m};
  size_t size = (size_t)(16 * w->N + 3 * w->m + w->m * w->m + w->n * w->m) + 1;
  LAR_TRY(lar_alloc(&made, size, sizeof(double)));
  double *at = made, **const each[] = {&w->lo, &w->hi, &w->p,  &w->q,  &w->zp, &w->zq, &w->r,
                                       &w->D,  &w->t,  &w->du, &w->dp, &w->dq, &w->ap, &w->aq};
  for (size_t k = 0; k < sizeof each / sizeof *each; k++, at += w->N) *each[k] = at;
  w->db = at, w->sigma = at + w->m, w->fit = at + 2 * w->m;
  w->kept = w->fit + w->N, w->A = w->kept + w->N + w->m, w->XD = w->A + w->m * w->m;
  return LAR_OK;
}

/* out (N) = X b, and b itself below; out (m) = X'u + v. */
static void forth(const lar_barrier *P, const double *b, double *out) {
  memset(out, 0, (size_t)P->n * sizeof *out);
  for (int64_t j = 0; j < P->m; j++) {
    const double *x = P->X + j * P->n;
    for (int64_t i = 0; i < P->n; i++) out[i] += x[i] * b[j];
    out[P->n + j] = b[j];
  }
}

static void back(const lar_barrier *P, const double *u, double *out) {
  memcpy(out, u + P->n, (size_t)P->m * sizeof *out);
  lar_flat_cross(P->n, P->m, 1, P->X, P->n, u, P->n, out, P->m);
}

/* A row whose bounds meet (a free coefficient's) has no part in any of it. */
static bool off(const room *w, int64_t i) { return !(w->hi[i] > w->lo[i]); }

/* ---- the start ---- */

static void start(room *w, lar_barrier *P) {
  double size = 0, floor;
  memcpy(w->lo, P->lo, (size_t)w->n * sizeof(double));
  memcpy(w->hi, P->hi, (size_t)w->n * sizeof(double));
  for (int64_t j = 0; j < w->m; j++) w->lo[w->n + j] = -P->a[j], w->hi[w->n + j] = P->a[j];
  forth(P, P->b, w->fit);
  for (int64_t i = 0; i < w->n; i++) size += fabs(P->y[i] - w->fit[i]);
  floor = 1e-1 * size / (double)w->n + 1e-10;
  for (int64_t i = 0; i < w->N; i++) {
    double e = (i < w->n ? P->y[i] : 0) - w->fit[i];
    P->u[i] = (w->lo[i] + w->hi[i]) / 2;
    w->p[i] = off(w, i) ? 0 : fmax(e, 0) + floor;
    w->q[i] = off(w, i) ? 0 : fmax(-e, 0) + floor;
  }
}

/* ---- one step ---- */

/* What is wrong now: slacks, r = y - Xb - p + q, sigma = s b - X'u - v. Returns the sum of the
 * products of pairs. */
static double measure(room *w, const lar_barrier *P) {
  double sum = 0;
  forth(P, P->b, w->fit);
  back(P, P->u, w->sigma);
  for (int64_t j = 0; j < w->m; j++) w->sigma[j] = P->s[j] * P->b[j] - w->sigma[j];
  for (int64_t i = 0; i < w->N; i++) {
    const double floor = 1e-18 * (w->hi[i] - w->lo[i]); /* u may be rounded onto its bound */
    w->zp[i] = fmax(w->hi[i] - P->u[i], floor), w->zq[i] = fmax(P->u[i] - w->lo[i], floor);
    w->r[i] = off(w, i) ? 0 : (i < w->n ? P->y[i] : 0) - w->fit[i] - w->p[i] + w->q[i];
    sum += w->p[i] * w->zp[i] + w->q[i] * w->zq[i];
  }
  return sum;
}

static bool factor(room *w, const lar_barrier *P, double more) {
  for (int64_t i = 0; i < w->N; i++)
    w->D[i] = off(w, i) ? 0 : 1 / (w->p[i] / w->zp[i] + w->q[i] / w->zq[i]);
  for (int64_t j = 0; j < w->m; j++)
    for (int64_t i = 0; i < w->n; i++) w->XD[j * w->n + i] = P->X[j * w->n + i] * sqrt(w->D[i]);
  memset(w->A, 0, (size_t)(w->m * w->m) * sizeof(double));
  lar_flat_square(w->n, w->m, w->XD, w->n, w->A, w->m);
  for (int64_t j = 0; j < w->m; j++) {
    double *d = &w->A[j * w->m + j];
    *d += w->D[w->n + j] + P->s[j];
    *d *= 1 + more;
  }
  return lar_flat_cholesky(w->m, w->A, w->m);
}

/* The direction towards products `mu`, less the second-order part of the predictor's where
 * `correct` (in dp, dq and du). */
static void aim(room *w, const lar_barrier *P, double mu, bool correct) {
  for (int64_t i = 0; i < w->N; i++) {
    if (off(w, i)) {
      w->t[i] = 0;
      continue;
    }
    w->ap[i] = mu - w->p[i] * w->zp[i] + (correct ? w->dp[i] * w->du[i] : 0);
    w->aq[i] = mu - w->q[i] * w->zq[i] - (correct ? w->dq[i] * w->du[i] : 0);
    w->t[i] = w->D[i] * (w->r[i] - w->ap[i] / w->zp[i] + w->aq[i] / w->zq[i]);
  }
  back(P, w->t, w->db);
  for (int64_t j = 0; j < w->m; j++) w->db[j] -= w->sigma[j];
  lar_flat_cholesky_solve(w->m, w->A, w->m, w->db);
  forth(P, w->db, w->fit);
  for (int64_t i = 0; i < w->N; i++) {
    w->du[i] = w->dp[i] = w->dq[i] = 0;
    if (off(w, i)) continue;
    w->du[i] = w->t[i] - w->D[i] * w->fit[i];
    w->dp[i] = (w->ap[i] + w->p[i] * w->du[i]) / w->zp[i];
    w->dq[i] = (w->aq[i] - w->q[i] * w->du[i]) / w->zq[i];
  }
}

static double least(double now, double x, double d) { return d < 0 ? fmin(now, -x / d) : now; }

/* The longest steps, up to 1, that keep p, q and the slacks above 0. */
static void reach(const room *w, double *primal, double *dual) {
  *primal = *dual = 1;
  for (int64_t i = 0; i < w->N; i++) {
    *primal = least(least(*primal, w->p[i], w->dp[i]), w->q[i], w->dq[i]);
    *dual = least(least(*dual, w->zp[i], -w->du[i]), w->zq[i], w->du[i]);
  }
}

/* The sum of products after the predictor's steps. */
static double foresee(const room *w, double primal, double dual) {
  double sum = 0;
  for (int64_t i = 0; i < w->N; i++)
    sum += (w->p[i] + primal * w->dp[i]) * (w->zp[i] - dual * w->du[i]) +
           (w->q[i] + primal * w->dq[i]) * (w->zq[i] + dual * w->du[i]);
  return sum;
}

static bool sane(const room *w) {
  double sum = 0;
  for (int64_t j = 0; j < w->m; j++) sum += w->db[j] * 0;
  for (int64_t i = 0; i < w->N; i++) sum += (w->du[i] + w->dp[i] + w->dq[i]) * 0;
  return sum == 0;
}

static void go(room *w, lar_barrier *P, double primal, double dual) {
  for (int64_t j = 0; j < w->m; j++) P->b[j] += primal * w->db[j];
  for (int64_t i = 0; i < w->N; i++) {
    w->p[i] += primal * w->dp[i];
    w->q[i] += primal * w->dq[i];
    P->u[i] += dual * w->du[i];
  }
}

/* With a quadratic part b stands in both conditions, and one length serves both steps. */
static void together(const lar_barrier *P, double *primal, double *dual) {
  for (int64_t j = 0; j < P->m; j++)
    if (P->s[j] > 0) *primal = *dual = fmin(*primal, *dual);
}

static bool step(room *w, lar_barrier *P, double products, int64_t pairs) {
  const double keep = 0.9995;
  double primal, dual, more = 0;
  while (!factor(w, P, more)) {
    more = more == 0 ? 1e-14 : more * 100;
    if (more > 1e-3) return false;
  }
  aim(w, P, 0, false);
  reach(w, &primal, &dual);
  double share = foresee(w, primal, dual) / products;
  aim(w, P, share * share * share * products / (double)pairs, true);
  reach(w, &primal, &dual);
  primal = fmin(1, keep * primal), dual = fmin(1, keep * dual);
  together(P, &primal, &dual);
  if (!sane(w)) return false;
  go(w, P, primal, dual);
  return true;
}

/* Primal less dual value at b and u, where the rest of what is wrong is small. */
static double gap(const room *w, const lar_barrier *P, double *wrong) {
  double primal = 0, dual = 0;
  *wrong = 0;
  for (int64_t i = 0; i < w->N; i++) {
    double e = (i < w->n ? P->y[i] : 0) - w->fit[i];
    primal += e > 0 ? w->hi[i] * e : w->lo[i] * e;
    dual += i < w->n ? P->y[i] * P->u[i] : 0;
  }
  for (int64_t j = 0; j < w->m; j++) {
    primal += P->s[j] * P->b[j] * P->b[j] / 2;
    dual -= P->s[j] * P->b[j] * P->b[j] / 2;
    *wrong += fabs(w->sigma[j] * P->b[j]);
  }
  return primal - dual;
}

/* The best point so far is kept: where rounding rules, steps lead anywhere. */
typedef struct best {
  double gap, value;
  int stale; /* steps since */
} best;

static void keep_best(best *o, const room *w, lar_barrier *P, double wrong) {
  double now = fabs(P->gap) + wrong;
  o->stale++;
  if (!(now < o->value)) return;
  *o = (best){.gap = P->gap, .value = now};
  memcpy(w->kept, P->b, (size_t)w->m * sizeof(double));
  memcpy(w->kept + w->m, P->u, (size_t)w->N * sizeof(double));
}

lar_status lar_barrier_solve(lar_barrier *P, double fine, int64_t limit) {
  enum { PATIENCE = 6 };
  room w;
  best o = {.value = HUGE_VAL};
  double wrong;
  LAR_TRY(open(&w, P));
  int64_t pairs = 0;
  start(&w, P);
  for (int64_t i = 0; i < w.N; i++) pairs += off(&w, i) ? 0 : 2;
  for (P->iterations = 0; o.stale < PATIENCE; P->iterations++) {
    double products = measure(&w, P);
    P->gap = gap(&w, P, &wrong);
    keep_best(&o, &w, P, wrong);
    if (o.value <= fine || P->iterations >= limit || lar_interrupt_pending()) break;
    if (!(products > 0) || !step(&w, P, products, pairs)) break;
  }
  P->gap = o.gap;
  memcpy(P->b, w.kept, (size_t)w.m * sizeof(double));
  memcpy(P->u, w.kept + w.m, (size_t)w.N * sizeof(double));
  lar_free(w.lo);
  return LAR_OK;
}
