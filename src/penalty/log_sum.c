#include "core/vecmath.h"

#include "core/real.h"
#include "penalty/separable.h"

typedef struct logs {
  double eps;
} logs;

static const lar_param schema[] = {
  {"eps", offsetof(logs, eps), 0.1, LAR_ABOVE0, HUGE_VAL,
   "scale of weights; smaller is nearer to counting them"},
  {0},
};

static inline double value(const logs *p, double l, double w) {
  return l * log1p(fabs(w) / p->eps);
}

static inline real slope(const logs *p, real l, real w) {
  return w == 0 ? (real)0 : copysign(l / ((real)p->eps + fabs(w)), w);
}

/* u = a - t l / (eps + u) is quadratic; its greater root is the only other local minimum. It
 * loses to 0 where half the excess there, times t, is no less than its own. */
static inline real shrink(const logs *p, real l, real v, real t) {
  double eps = p->eps, a = fabs((double)v), tl = (double)t * (double)l;
  double disc = (a + eps) * (a + eps) - 4 * tl, root = sqrt(disc < 0 ? 0 : disc), gap = eps - a;
  double small = 2 * (a * eps - tl) / (gap + root), large = (root - gap) / 2;
  double u = gap > 0 ? small : large, cost = 2 * tl * log1p(u / eps);
  bool loses = (tl > eps * eps) & (u * (2 * a - u) <= cost), none = (disc < 0) | (u <= 0);
  u = loses | none ? 0 : u;
  return copysign((real)u, v);
}

static inline double distance(const logs *p, double l, double w, double g) {
  return lar_kink(w, g, l / (p->eps + fabs(w)));
}

static double at_max(const void *self, double g) { return ((const logs *)self)->eps * fabs(g); }

LAR_SEPARABLE_LOOPS(log_sum, logs)

LAR_ENTRY(penalty, log_sum) = {
  .name = "log_sum",
  .doc = "logarithms: what reweighted l1 minimises; large weights are nearly free",
  .source = "Candes, Wakin & Boyd 2008, J. Fourier Anal. Appl. 14(5-6); prox: Gong et al. "
            "2013, ICML",
  .formula = "lambda sum_j log(1 + |w_j|/eps)",
  .params = schema,
  .size = sizeof(logs),
  .traits = LAR_SEPARABLE | LAR_ABSOLUTE,
  .at_max1 = at_max,
  LAR_SEPARABLE_SLOTS(log_sum),
};
