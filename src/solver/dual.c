#include "solver/dual.h"

#include <math.h>

/* The largest share of u that is dual feasible: |s z_j'u| <= lambda a_j where nothing else
 * bounds the conjugate. */
static double feasible_share(const lar_scalar *s, const double *corr) {
  double share = 1;
  for (int64_t j = 0; j < s->p; j++) {
    double c = -corr[j], limit = s->lambda * s->a[j];
    if (fabs(c) * share <= limit || (s->b != NULL && s->b[j] > 0)) continue;
    if (lar_scalar_free(s, j)) continue;
    if (s->lo != NULL && (c > 0 ? s->hi[j] < HUGE_VAL : s->lo[j] > -HUGE_VAL)) continue;
    share = limit / fabs(c);
  }
  return share;
}

/* <u, y> / <u, u / w> of squared loss is where the dual along u is highest. */
static double best_share(const lar_problem *g, const double *u, double limit) {
  double up = 0, down = 0;
  for (int64_t i = 0; i < g->rows.n; i++) {
    if (g->rows.w[i] == 0) continue;
    double y = g->rows.y[i] - (g->offset != NULL ? g->offset[i] : 0);
    up -= u[i] * y;
    down += u[i] * u[i] / g->rows.w[i];
  }
  double s = down > 0 ? up / down : 1;
  return s < 0 ? 0 : s < limit ? s : limit;
}

static double conjugates(const lar_problem *g, const lar_scalar *s, const double *u,
                         const double *corr, double share, double *scratch,
                         const lar_point *at) {
  double sum = 0;
  for (int64_t i = 0; i < g->rows.n; i++) {
    scratch[i] = share * u[i];
    if (g->offset != NULL && g->rows.w[i] > 0) sum -= scratch[i] * g->offset[i];
  }
  sum += g->family->conjugate(g->self, &g->rows, scratch);
  for (int64_t j = 0; j < s->p; j++)
    sum += lar_scalar_conjugate(s, j, -share * corr[j], at->coef[j]);
  return sum;
}

void lar_certify(const lar_problem *g, const lar_scalar *s, const double *u, const double *corr,
                 double *scratch, lar_point *at) {
  double value = at->loss, far = 0;
  int64_t df = 0;
  for (int64_t j = 0; j < s->p; j++) {
    if (at->coef[j] != 0 || s->lo != NULL) value += lar_scalar_value(s, j, at->coef[j]);
    df += at->coef[j] != 0;
    double d = lar_scalar_distance(s, j, at->coef[j], corr[j]);
    far = d > far ? d : far;
  }
  at->value = value;
  at->kkt = far;
  at->df = df;
  at->gap = NAN;
  if (!s->convex || s->other != NULL || g->family->conjugate == NULL) return;
  double share = feasible_share(s, corr);
  if (s->lo == NULL && s->b == NULL && (g->family->traits & LAR_FAM_QUADRATIC) != 0) {
    double most = 0;
    for (int64_t j = 0; j < s->p; j++)
      if (s->a[j] > 0) most = fmax(most, fabs(corr[j]) / (s->lambda * s->a[j]));
    share = best_share(g, u, most > 0 ? 1 / most : 1);
  }
  at->gap = value + conjugates(g, s, u, corr, share, scratch, at);
}
