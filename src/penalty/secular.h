/*
 * penalty/secular - the prox of norms and balls of groups in a diagonal metric.
 *
 * A part of penalty/radial.h, which includes it.
 *
 * In a diagonal metric (steps t_j) the prox of a group is u_j = kappa v_j / (alpha + beta t_j):
 *   of beta |u|       alpha = kappa is |u|, the root of |v / (alpha + beta t)| = 1;
 *   of the ball |u| <= c   alpha = kappa = 1 and beta is the root of |v / (1 + beta t)| = c.
 * In both 1/norm is concave in the unknown, so Newton's method from below rises to the root and
 * never passes it (More & Sorensen 1983, SIAM J. Sci. Stat. Comput. 4(3)). It starts at the
 * root for equal steps, the mean of the t_j weighted by v_j^2: by Jensen's inequality that is
 * never too far, and with equal t_j it is the answer.
 */
#ifndef LAR_PENALTY_SECULAR_H
#define LAR_PENALTY_SECULAR_H

#include "penalty/radial.h"

/* One block of groups in a metric: the unknown is alpha, or beta of a ball; u = kappa v /
 * (alpha + beta t). Groups that are done have target 0. */
typedef struct lar_solve {
  int64_t begin, n;
  bool ball;
  double alpha[LAR_RADIAL_BLOCK], beta[LAR_RADIAL_BLOCK], kappa[LAR_RADIAL_BLOCK];
  double target[LAR_RADIAL_BLOCK], q[LAR_RADIAL_BLOCK], d[LAR_RADIAL_BLOCK];
} lar_solve;

/* The j-th coordinate's step; and, in the tensor's own dtype, one over its denominator, and its
 * quotient. */
#define LAR_RADIAL_STEP (t * (double)m[j])
#define LAR_RADIAL_INV  ((real)1 / (alpha[k] + beta[k] * m[j]))
#define LAR_RADIAL_OVER (v[j] * LAR_RADIAL_INV)
#define LAR_RADIAL_SQ   ((double)LAR_RADIAL_OVER * (double)LAR_RADIAL_OVER)

/* alpha and beta for use with metric alone, in the tensor's own dtype. */
static inline void lar_radial_narrow(const lar_radial *r, const lar_solve *s, real *alpha,
                                     real *beta) {
  for (int64_t k = 0; k < s->n; k++) {
    alpha[k] = (real)s->alpha[k];
    beta[k] = (real)(s->beta[k] * r->step);
  }
}

/* Newton for all groups of a block at once, until a step is too small for its square to
 * matter. q = |v / (alpha + beta t)|^2, d = -1/2 its derivative in the unknown. */
static inline void lar_radial_newton(const lar_radial *r, lar_solve *s) {
  enum { ROUNDS = 60 };
  const lar_groups *G = r->at->groups;
  const real *v = r->w, *m = r->metric;
  const double small = sizeof(real) == 4 ? 1e-5 : 1e-9;
  real alpha[LAR_RADIAL_BLOCK], beta[LAR_RADIAL_BLOCK];
  int64_t left = 0;
  for (int64_t k = 0; k < s->n; k++) left += s->target[k] != 0;
  for (int round = 0; round < ROUNDS && left > 0; round++) {
    lar_radial_narrow(r, s, alpha, beta);
    if (s->ball) {
      LAR_GROUP_SUMS(G, s->begin, s->n, s->q, LAR_RADIAL_SQ, s->d,
                     LAR_RADIAL_SQ * (double)LAR_RADIAL_INV * (double)m[j])
    } else {
      LAR_GROUP_SUMS(G, s->begin, s->n, s->q, LAR_RADIAL_SQ, s->d,
                     LAR_RADIAL_SQ * (double)LAR_RADIAL_INV)
    }
    left = 0;
    for (int64_t k = 0; k < s->n; k++) {
      if (s->target[k] == 0) continue;
      double *x = s->ball ? &s->beta[k] : &s->alpha[k];
      double d = s->ball ? s->d[k] * r->step : s->d[k];
      double move = s->q[k] / d * (sqrt(s->q[k]) / s->target[k] - 1);
      if (move > 0 && isfinite(*x + move)) *x += move; /* not for NaN */
      if (move > small * *x)
        left++;
      else
        s->target[k] = 0;
    }
  }
}

/* Balls: those that hold v already are left alone; the others start where a ball with the mean
 * step (weighted by v^2) would end, which is never too far. True when all hold v. */
static inline bool lar_radial_start_ball(const lar_radial *r, lar_solve *s,
                                         const lar_secular *of) {
  const real *v = r->w, *m = r->metric;
  lar_radial_squares(r->at->groups, v, s->begin, s->n, s->q);
  bool inside = true;
  for (int64_t k = 0; k < s->n; k++) inside = inside && sqrt(s->q[k]) <= of[k].target;
  if (inside) return true;
  LAR_GROUP_SUMS(r->at->groups, s->begin, s->n, s->q, (double)v[j] * (double)v[j], s->d,
                 (double)v[j] * (double)v[j] * (double)m[j])
  for (int64_t k = 0; k < s->n; k++) {
    double norm = sqrt(s->q[k]), c = of[k].target;
    bool out = norm > c;
    s->alpha[k] = 1;
    s->kappa[k] = c > 0 || norm == 0 ? 1 : 0;
    s->beta[k] = out && c > 0 ? (norm / c - 1) * s->q[k] / (s->d[k] * r->step) : 0;
    s->target[k] = out ? c : 0;
  }
  return false;
}

/* Norms: groups with |v / t| within beta go to 0; the others start where a group with the mean
 * step would end. By Jensen's inequality that is at 0 or below for those that go. */
static inline void lar_radial_start_norm(const lar_radial *r, lar_solve *s,
                                         const lar_secular *of) {
  const lar_groups *G = r->at->groups;
  const real *v = r->w, *m = r->metric;
  const double t = r->step;
  bool all = true;
  LAR_GROUP_SUMS(G, s->begin, s->n, s->q, (double)v[j] * (double)v[j], s->d,
                 (double)v[j] * (double)v[j] * (double)m[j])
  for (int64_t k = 0; k < s->n; k++) {
    double beta = of[k].beta;
    bool free = !(beta > 0);
    s->alpha[k] = free ? 1 : sqrt(s->q[k]) - beta * (s->d[k] * t / s->q[k]);
    s->beta[k] = free ? 0 : beta;
    s->kappa[k] = 1;
    s->target[k] = free ? 0 : 1;
    all = all && s->alpha[k] > 1e-6 * sqrt(s->q[k]);
  }
  if (all) return;
  LAR_GROUP_SUMS(G, s->begin, s->n, s->q,
                 (double)v[j] / LAR_RADIAL_STEP * (double)v[j] / LAR_RADIAL_STEP, s->d, 0)
  for (int64_t k = 0; k < s->n; k++) {
    bool gone = s->beta[k] > 0 && sqrt(s->q[k]) <= s->beta[k];
    if (gone)
      s->alpha[k] = 1, s->kappa[k] = s->target[k] = 0;
    else if (!(s->alpha[k] > 0))
      s->alpha[k] = 0;
  }
}

/* The prox of a block of groups in the metric. */
static inline void lar_radial_metric(const lar_radial *r, const lar_secular *of, int64_t begin,
                                     int64_t n) {
  lar_solve s = {.begin = begin, .n = n, .ball = of[0].ball};
  real alpha[LAR_RADIAL_BLOCK], beta[LAR_RADIAL_BLOCK], kappa[LAR_RADIAL_BLOCK];
  if (!s.ball)
    lar_radial_start_norm(r, &s, of);
  else if (lar_radial_start_ball(r, &s, of))
    return;
  lar_radial_newton(r, &s);
  lar_radial_narrow(r, &s, alpha, beta);
  for (int64_t k = 0; k < n; k++) {
    bool norm = !s.ball && s.kappa[k] != 0 && s.beta[k] > 0;
    kappa[k] = (real)(norm ? s.alpha[k] : s.kappa[k]);
  }
  const real *v = r->w, *m = r->metric;
  real *to = r->to;
  LAR_GROUP_EACH(r->at->groups, begin, n,
                 to[j] = kappa[k] == 0 ? (real)0 : v[j] * (kappa[k] * LAR_RADIAL_INV))
}

#endif
