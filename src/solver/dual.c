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

/* With squared loss, Z b + b0 = y + u / w gives <u, y> = sum b_j z_j'u - sum u^2 / w, and the
 * dual is highest at <u, y> / sum u^2 / w. */
static double share_of_squares(const lar_scalar *s, const double *corr, const lar_point *at,
                               double limit) {
  double along = 0, square = 2 * at->loss;
  for (int64_t j = 0; j < s->p; j++) along += at->coef[j] * corr[j];
  double best = square > 0 ? (square - along) / square : 1;
  return best < 0 ? 0 : best < limit ? best : limit;
}

static double loss_conjugate(const lar_problem *g, const lar_scalar *s, const double *u,
                             const double *corr, double share, double *scratch,
                             const lar_point *at) {
  double sum = 0;
  if ((g->family->traits & LAR_FAM_QUADRATIC) != 0) {
    for (int64_t j = 0; j < s->p; j++) sum += at->coef[j] * corr[j];
    return share * share * at->loss + share * (sum - 2 * at->loss);
  }
  for (int64_t i = 0; i < g->rows.n; i++) {
    scratch[i] = share * u[i];
    if (g->offset != NULL && g->rows.w[i] > 0) sum -= scratch[i] * g->offset[i];
  }
  return sum + g->family->conjugate(g->self, &g->rows, scratch);
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
  double share = feasible_share(s, corr), sum = 0;
  if (s->lo == NULL && s->b == NULL && (g->family->traits & LAR_FAM_QUADRATIC) != 0) {
    double most = 0;
    for (int64_t j = 0; j < s->p; j++)
      if (s->a[j] > 0) most = fmax(most, fabs(corr[j]) / (s->lambda * s->a[j]));
    share = share_of_squares(s, corr, at, most > 0 ? 1 / most : 1);
  }
  for (int64_t j = 0; j < s->p; j++)
    sum += lar_scalar_conjugate(s, j, -share * corr[j], at->coef[j]);
  at->gap = value + sum + loss_conjugate(g, s, u, corr, share, scratch, at);
}
