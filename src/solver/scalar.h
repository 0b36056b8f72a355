/*
 * solver/scalar - a penalty of coefficients one by one: what coordinate descent sees of it.
 *
 * Floor:    solver.
 * Contract: the penalty of coefficient j at strength lambda is
 *
 *             phi_j(w) = lambda (a_j |w| + b_j w^2 / 2) + [lo_j <= w <= hi_j] + Omega(w; lambda
 * c_j)
 *
 *           where Omega is one separable penalty outside that family, or none: sums of members
 *           of the family and at most one other are taken, refused otherwise. a_j = HUGE_VAL
 *           holds the coefficient at 0. The prox is exact where Omega is none, or convex, or
 *           there are no bounds but 0; else it is the best of the candidates.
 */
#ifndef LAR_SOLVER_SCALAR_H
#define LAR_SOLVER_SCALAR_H

#include "solver/solver.h"

typedef struct lar_scalar {
  int64_t p;
  double lambda;
  double *a, *b, *c, *lo, *hi; /* p each; b, c NULL: 0; lo, hi NULL: without bounds */
  const lar_penalty *other;
  const void *self;
  bool convex;
} lar_scalar;

/* LAR_OK, or why not; `who` is the solver's name. */
lar_status lar_scalar_fits(const lar_problem *g, const char *who);
lar_status lar_scalar_open(lar_scalar *out, const lar_problem *g);
void lar_scalar_close(lar_scalar *s);

/* argmin_u (u - v)^2 / (2 t) + phi_j(u) */
double lar_scalar_prox(const lar_scalar *s, int64_t j, double v, double t);
double lar_scalar_value(const lar_scalar *s, int64_t j, double w);
/* Distance from 0 to g + the subdifferential of phi_j at w. */
double lar_scalar_distance(const lar_scalar *s, int64_t j, double w, double g);
/* phi_j*(v) = sup_w v w - phi_j(w), of convex ones; w is bounded by 2 |at| where v is within
 * rounding of a slope at infinity. */
double lar_scalar_conjugate(const lar_scalar *s, int64_t j, double v, double at);
/* The least lambda at which coefficient j, of curvature c and with the loss's slope g, stays
 * 0; 0 for one that is free. */
double lar_scalar_max(const lar_scalar *s, int64_t j, double g, double c);

static inline bool lar_scalar_held(const lar_scalar *s, int64_t j) {
  return s->a[j] == HUGE_VAL;
}
/* Does coefficient j, at 0, stay there by a corner or bounds, where the slope is g? */
static inline bool lar_scalar_rests(const lar_scalar *s, int64_t j, double g) {
  return s->other == NULL && (g < 0 ? -g : g) <= s->lambda * s->a[j] &&
         (s->lo == NULL || (s->lo[j] <= 0 && s->hi[j] >= 0));
}
static inline bool lar_scalar_free(const lar_scalar *s, int64_t j) {
  return s->a[j] == 0 && (s->b == NULL || s->b[j] == 0) && (s->c == NULL || s->c[j] == 0);
}

#endif
