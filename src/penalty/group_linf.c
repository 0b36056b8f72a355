#include "core/real.h"
#include "penalty/cut.h"

typedef struct none {
  char unused;
} none;

/* The largest magnitude becomes x, where sum max(0, |v_j| - x) / t_j = l: what is above x is
 * the projection of v / t on the l1 ball of radius l, by Moreau's identity. */
static inline double edge(double l, double t) { return 1; }
static inline double over(double t) { return 1 / t; }
static inline double under(double l, double t) { return 1 / t; }
/* Without a strength nothing is above. */
static inline double root(double l, double p, double q) {
  return l > 0 ? (p - l) / q : HUGE_VAL;
}
static inline double left(double a, double x, double l, double t) { return a > x ? x : a; }

/* The largest magnitude of a group; NaN if there is one. */
static double largest(const lar_radial *r, int64_t g) {
  const real *w = r->w;
  const int64_t one = 1;
  double most = 0;
  LAR_GROUP_EACH(r->at->groups, g, one, {
    double a = fabs((double)w[j]);
    most = a > most || isnan(a) ? a : most;
  })
  return most;
}

static void value_block(const lar_radial *r, int64_t g, int64_t n, int64_t part) {
  for (int64_t k = 0; k < n; k++) {
    double most = largest(r, g + k);
    r->part[part] += lar_radial_l(r, g + k) * most + lar_radial_out(r, g + k, most);
  }
}

/* Shared by coordinates that tie. */
static void grad_block(const lar_radial *r, int64_t g, int64_t n, int64_t part) {
  const lar_groups *G = r->at->groups;
  const real *w = r->w;
  real *to = r->to;
  double most[LAR_RADIAL_BLOCK], ties[LAR_RADIAL_BLOCK], unused[LAR_RADIAL_BLOCK];
  for (int64_t k = 0; k < n; k++) most[k] = largest(r, g + k);
  LAR_GROUP_SUMS(G, g, n, ties, fabs((double)w[j]) == most[k] ? 1 : 0, unused, 0)
  for (int64_t k = 0; k < n; k++) ties[k] = lar_radial_l(r, g + k) / fmax(ties[k], 1);
  LAR_GROUP_EACH(G, g, n,
                 to[j] += w[j] != 0 && fabs((double)w[j]) == most[k]
                            ? (real)copysign(ties[k], (double)w[j])
                            : (real)0)
}

LAR_CUT_LOOPS
LAR_RADIAL_ENTRY(group_linf)

LAR_ENTRY(penalty, group_linf) = {
  .name = "group_linf",
  .doc = "largest magnitudes of groups: whole groups at 0, the large ones of a group equal",
  .source = "Turlach, Venables & Wright 2005, Technometrics 47(3); prox: Parikh & Boyd 2014, "
            "Found. Trends Optim. 1(3), sec. 6.5",
  .formula = "lambda sum_g |w_g|_inf",
  .size = sizeof(none),
  .traits = LAR_CONVEX | LAR_GROUPED | LAR_ABSOLUTE | LAR_NORM,
  LAR_RADIAL_SLOTS,
};
