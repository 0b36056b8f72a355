/*
 * penalty/cut - the prox of group penalties that cut magnitudes at a level x of the group.
 *
 * Include after core/real.h. A coordinate is active where |v_j| > x edge(l, t_j), and x is the
 * root of a convex, falling, piecewise linear function: on the active ones x = root(l, p, q)
 * with p = sum |v_j| over(t_j), q = sum under(l, t_j). All active is a lower bound, from which
 * Newton's method rises to the root, drops coordinates on its way and is exact when it drops
 * none (Michelot 1986, JOTA 50(1)). A file says those four and
 *   static inline double left(double a, double x, double l, double t)  of a magnitude a
 *   static void value_block, grad_block(const lar_radial *r, int64_t g, int64_t n, int64_t
 * part) and LAR_CUT_LOOPS, LAR_RADIAL_SLOTS.
 */
#ifndef LAR_PENALTY_CUT_H
#define LAR_PENALTY_CUT_H

#include "penalty/radial.h"

#define LAR_CUT_SIZE fabs((double)v[j])
#define LAR_CUT_STEP (m != NULL ? step * (double)m[j] : step)
#define LAR_CUT_ON   (LAR_CUT_SIZE > x[k] * edge(l[k], LAR_CUT_STEP))

#define LAR_CUT_LOOPS                                                                          \
  static void solve(const lar_radial *r, int64_t g, int64_t n, const double *l, double *x) {   \
    const lar_groups *G = r->at->groups;                                                       \
    const real *v = r->to, *m = r->metric;                                                     \
    const double step = r->step;                                                               \
    double p[LAR_RADIAL_BLOCK], q[LAR_RADIAL_BLOCK];                                           \
    LAR_GROUP_SUMS(G, g, n, p, LAR_CUT_SIZE *over(LAR_CUT_STEP), q, under(l[k], LAR_CUT_STEP)) \
    for (int64_t k = 0; k < n; k++) {                                                          \
      x[k] = root(l[k], p[k], q[k]);                                                           \
      if (x[k] < 0) x[k] = 0;                                                                  \
    }                                                                                          \
    for (int64_t rose = 1; rose > 0;) {                                                        \
      rose = 0;                                                                                \
      LAR_GROUP_SUMS(G, g, n, p, LAR_CUT_ON ? LAR_CUT_SIZE *over(LAR_CUT_STEP) : 0, q,         \
                     LAR_CUT_ON ? under(l[k], LAR_CUT_STEP) : 0)                               \
      for (int64_t k = 0; k < n; k++) {                                                        \
        double next = root(l[k], p[k], q[k]);                                                  \
        bool rises = next > x[k] * (1 + 1e-15); /* not for NaN */                              \
        if (rises) x[k] = next;                                                                \
        rose += rises;                                                                         \
      }                                                                                        \
    }                                                                                          \
  }                                                                                            \
  static void prox_block(const lar_radial *r, int64_t g, int64_t n, int64_t part) {            \
    const lar_groups *G = r->at->groups;                                                       \
    const real *m = r->metric;                                                                 \
    const double step = r->step;                                                               \
    real *v = r->to;                                                                           \
    double x[LAR_RADIAL_BLOCK], l[LAR_RADIAL_BLOCK];                                           \
    for (int64_t k = 0; k < n; k++) l[k] = lar_radial_l(r, g + k);                             \
    solve(r, g, n, l, x);                                                                      \
    LAR_GROUP_EACH(                                                                            \
      G, g, n,                                                                                 \
      v[j] =                                                                                   \
        (real)(copysign(left(LAR_CUT_SIZE, x[k], l[k], LAR_CUT_STEP), (double)v[j]) + 0.0))    \
  }                                                                                            \
  static void metric_block(const lar_radial *r, int64_t g, int64_t n, int64_t part) {          \
    prox_block(r, g, n, part);                                                                 \
  }                                                                                            \
  LAR_RADIAL_BODY(value)                                                                       \
  LAR_RADIAL_BODY(grad)                                                                        \
  LAR_RADIAL_BODY(prox)                                                                        \
  LAR_RADIAL_BODY(metric)                                                                      \
  LAR_RADIAL_TENSORS

#endif
