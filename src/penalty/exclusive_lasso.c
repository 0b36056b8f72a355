#include "core/real.h"
#include "penalty/cut.h"

typedef struct none {
  char unused;
} none;

/* x is the group's l1 norm after soft thresholding by l t_j x. */
static inline double edge(double l, double t) { return l * t; }
static inline double over(double t) { return 1; }
static inline double under(double l, double t) { return l * t; }
static inline double root(double l, double p, double q) { return p / (1 + q); }
static inline double left(double a, double x, double l, double t) {
  return lar_soft(a, l * t * x);
}

static void norms(const lar_radial *r, int64_t g, int64_t n, double *norm) {
  const real *w = r->w;
  double unused[LAR_RADIAL_BLOCK];
  LAR_GROUP_SUMS(r->at->groups, g, n, norm, fabs((double)w[j]), unused, 0)
}

static void value_block(const lar_radial *r, int64_t g, int64_t n, int64_t part) {
  double norm[LAR_RADIAL_BLOCK];
  norms(r, g, n, norm);
  for (int64_t k = 0; k < n; k++)
    r->part[part] +=
      lar_radial_l(r, g + k) / 2 * norm[k] * norm[k] + lar_radial_out(r, g + k, norm[k]);
}

static void grad_block(const lar_radial *r, int64_t g, int64_t n, int64_t part) {
  const real *w = r->w;
  real *to = r->to;
  double norm[LAR_RADIAL_BLOCK];
  norms(r, g, n, norm);
  for (int64_t k = 0; k < n; k++) norm[k] *= lar_radial_l(r, g + k);
  LAR_GROUP_EACH(r->at->groups, g, n,
                 to[j] += w[j] == 0 ? (real)0 : (real)copysign(norm[k], (double)w[j]))
}

LAR_CUT_LOOPS
LAR_RADIAL_ENTRY(exclusive_lasso)

LAR_ENTRY(penalty, exclusive_lasso) = {
  .name = "exclusive_lasso",
  .doc = "squared l1 norms of groups: few coordinates in each group, no group left out",
  .source = "Zhou, Jin & Hoi 2010, AISTATS; prox: Kong et al. 2014, NIPS 27; Campbell & Allen "
            "2017, Electron. J. Stat. 11(2)",
  .formula = "lambda/2 sum_g |w_g|_1^2",
  .size = sizeof(none),
  .traits = LAR_CONVEX | LAR_GROUPED | LAR_ABSOLUTE,
  LAR_RADIAL_SLOTS,
};
