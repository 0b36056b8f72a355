/* Rounds of coordinate descent in Gram coordinates, and when to end them. */
#include <math.h>

#include "solver/quad.h"

/* The new coefficient of member k. */
static inline double best(const lar_quad *q, const lar_scalar *s, int64_t k, double c) {
  int64_t j = q->at[k];
  double v = q->b[k] - q->slope[k] / c;
  if (s->other != NULL) return lar_scalar_prox(s, j, v, 1 / c);
  double pull = c * q->b[k] - q->slope[k];
  double a = s->a[j] == 0 ? 0 : s->lambda * s->a[j];
  double b = s->b != NULL ? s->lambda * s->b[j] : 0;
  double u = lar_soft(pull, a) / (c + b);
  if (s->lo == NULL) return u;
  return u < s->lo[j] ? s->lo[j] : u > s->hi[j] ? s->hi[j] : u;
}

static int sign(double v) { return (v > 0) - (v < 0); }

int64_t lar_quad_sweep(lar_quad *q, const lar_scalar *s, bool all, double *moved) {
  int64_t m = q->m, turned = 0;
  double most = 0, *slope = q->slope;
  for (int64_t k = 0; k < m; k++) {
    double c = lar_quad_curve(q, k), old = q->b[k];
    if (!(c > 1e-300) || (!all && old == 0)) continue;
    double u = best(q, s, k, c), d = u - old;
    if (d == 0) continue;
    const double *h = q->gram + k * q->cap;
    turned += sign(u) != sign(old);
    q->b[k] = u;
    for (int64_t i = 0; i < m; i++) slope[i] += d * h[i];
    most = d * d * c > most ? d * d * c : most;
  }
  *moved = most;
  return turned;
}

double lar_quad_left(const lar_quad *q, const lar_scalar *s, double *far) {
  double left = 0, size = 0, most = 0;
  for (int64_t k = 0; k < q->m; k++) {
    if (!(lar_quad_curve(q, k) > 1e-300)) continue;
    double d = lar_scalar_distance(s, q->at[k], q->b[k], q->slope[k]), b = fabs(q->b[k]);
    left += d * b;
    size += b;
    most = d > most ? d : most;
  }
  *far = most;
  if (size == 0 && most > 0) return HUGE_VAL;
  return 2 * left + most * size;
}

/* A few rounds find out who is in; then a step solves for those. */
lar_status lar_quad_solve(lar_quad *q, const lar_scalar *s, double gap, double kkt,
                          int64_t most, int64_t *rounds) {
  enum { ROUNDS = 4 };
  bool smooth = s->other == NULL;
  double far, moved;
  for (*rounds = 0; *rounds < most;) {
    int64_t turned = 1;
    for (int k = 0; k < ROUNDS && turned > 0; k++, ++*rounds)
      turned = lar_quad_sweep(q, s, true, &moved);
    double left = lar_quad_left(q, s, &far);
    if (moved == 0 || (isnan(gap) ? far <= kkt : left <= gap)) return LAR_OK;
    if (smooth) LAR_TRY(lar_quad_newton(q, s));
  }
  return LAR_OK;
}
