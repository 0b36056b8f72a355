#include "solver/dual.h"

#include <math.h>

/* What a look at all columns sums up. A coefficient that rests at 0 adds nothing, as no share
 * of its slope does. */
typedef struct sums {
  double penalty, far, along; /* along: sum_j b_j z_j'u */
  double share;               /* the largest of u that is dual feasible, up to 1 */
  double most;                /* max |z_j'u| / (lambda a_j) */
  int64_t df;
} sums;

/* |s z_j'u| <= lambda a_j where nothing else bounds the conjugate. */
static double feasible_share(const lar_scalar *s, int64_t j, double slope, double share) {
  double c = -slope, limit = s->lambda * s->a[j];
  if (fabs(c) * share <= limit || (s->b != NULL && s->b[j] > 0)) return share;
  if (lar_scalar_free(s, j)) return share;
  if (s->lo != NULL && (c > 0 ? s->hi[j] < HUGE_VAL : s->lo[j] > -HUGE_VAL)) return share;
  return limit / fabs(c);
}

static bool rests(const lar_scalar *s, int64_t j, const double *coef, const double *corr) {
  return coef[j] == 0 && lar_scalar_rests(s, j, corr[j]);
}

static sums add_up(const lar_scalar *s, const double *coef, const double *corr) {
  sums out = {.share = 1};
  for (int64_t j = 0; j < s->p; j++) {
    double limit = s->lambda * s->a[j], slope = fabs(corr[j]);
    if (slope > out.most * limit && s->a[j] > 0) out.most = slope / limit;
    if (rests(s, j, coef, corr)) continue;
    double d = lar_scalar_distance(s, j, coef[j], corr[j]);
    out.far = d > out.far ? d : out.far;
    out.df += coef[j] != 0;
    out.along += coef[j] * corr[j];
    if (coef[j] != 0 || s->lo != NULL) out.penalty += lar_scalar_value(s, j, coef[j]);
    out.share = feasible_share(s, j, corr[j], out.share);
  }
  return out;
}

/* With squared loss, Z b + b0 = y + u / w gives <u, y> = sum b_j z_j'u - sum u^2 / w, and the
 * dual is highest at <u, y> / sum u^2 / w. */
static double share_of_squares(const sums *of, const lar_point *at) {
  double square = 2 * at->loss, limit = of->most > 0 ? 1 / of->most : 1;
  double best = square > 0 ? (square - of->along) / square : 1;
  return best < 0 ? 0 : best < limit ? best : limit;
}

static double loss_conjugate(const lar_problem *g, double along, const double *u, double share,
                             double *scratch, const lar_point *at) {
  double sum = 0;
  if ((g->family->traits & LAR_FAM_QUADRATIC) != 0)
    return share * share * at->loss + share * (along - 2 * at->loss);
  for (int64_t i = 0; i < g->rows.n; i++) {
    scratch[i] = share * u[i];
    if (g->offset != NULL && g->rows.w[i] > 0) sum -= scratch[i] * g->offset[i];
  }
  return sum + g->family->conjugate(g->self, &g->rows, scratch);
}

double lar_certify(const lar_problem *g, const lar_scalar *s, const double *u,
                   const double *corr, double *scratch, lar_point *at) {
  const sums of = add_up(s, at->coef, corr);
  bool squares = (g->family->traits & LAR_FAM_QUADRATIC) != 0;
  at->value = at->loss + of.penalty;
  at->kkt = of.far;
  at->df = of.df;
  at->gap = NAN;
  if (!s->convex || s->other != NULL || g->family->conjugate == NULL) return 1;
  double share = of.share, sum = 0;
  if (s->lo == NULL && s->b == NULL && squares) share = share_of_squares(&of, at);
  for (int64_t j = 0; j < s->p; j++)
    if (!rests(s, j, at->coef, corr))
      sum += lar_scalar_conjugate(s, j, -share * corr[j], at->coef[j]);
  at->gap = at->value + sum + loss_conjugate(g, of.along, u, share, scratch, at);
  return share;
}

double lar_dual_radius(const lar_problem *g, double gap) {
  double most = 0, bound = g->family->bound != NULL ? g->family->bound(g->self) : 0;
  if (!(gap >= 0) || !(bound > 0 && bound < HUGE_VAL)) return HUGE_VAL;
  for (int64_t i = 0; i < g->x->n; i++) most = fmax(most, g->rows.w[i]);
  return sqrt(2 * bound * most * (gap + 1e-13 * g->null_value));
}

double lar_dual_ball(const lar_problem *g, const double *u, double share, double gap) {
  const double radius = lar_dual_radius(g, gap), slack = 1e-13 * g->null_value;
  if (radius < HUGE_VAL || g->family->heaviest == NULL || !(gap >= 0)) return radius;
  const double most = g->family->heaviest(g->self, &g->rows, u, share);
  gap += slack;
  return gap + sqrt(gap * gap + 2 * gap * most);
}
