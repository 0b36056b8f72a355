#include "family/each.h"

typedef struct none {
  char unused;
} none;

/* Labels 1 and 2 are the signs - and +. */
static inline double lack(double y, double eta) {
  double d = 1 - (y > 1.5 ? eta : -eta);
  return d > 0 ? d : 0;
}

static inline double loss(const none *p, double y, double eta) {
  double d = lack(y, eta);
  return d * d;
}

static inline void turn(const none *p, double y, double eta, double *d1, double *d2) {
  double d = lack(y, eta);
  *d1 = y > 1.5 ? -2 * d : 2 * d;
  *d2 = d > 0 ? 2 : 0;
}

LAR_EACH_LOOPS(none)

static lar_status ready(const void *self, lar_rows *r) {
  bool seen[2] = {false, false};
  for (int64_t i = 0; i < r->n; i++) {
    if (r->w[i] == 0) continue;
    if (r->y[i] != 1 && r->y[i] != 2)
      return lar_fail(LAR_EARG, "hinge: y is %g in row %lld; labels are 1 and 2", r->y[i],
                      (long long)i + 1);
    seen[r->y[i] == 2] = true;
  }
  if (!seen[0] || !seen[1])
    return lar_fail(LAR_EARG, "hinge: every row is of class %d; there must be two classes",
                    seen[0] ? 1 : 2);
  return LAR_OK;
}

static double bound(const void *self) { return 2; }

static void stretch(const void *self, const lar_rows *r, double *low, double *high) {
  for (int64_t i = 0; i < r->n; i++) {
    low[i] = r->y[i] > 1.5 ? -HUGE_VAL : -1;
    high[i] = r->y[i] > 1.5 ? 1 : HUGE_VAL;
  }
}

/* With a = -u s / w, s the sign: w (a^2 / 4 - a) where a >= 0. */
static double conjugate(const void *self, const lar_rows *r, const double *u) {
  double sum = 0;
  for (int64_t i = 0; i < r->n; i++) {
    if (r->w[i] == 0) continue;
    double a = (r->y[i] > 1.5 ? -u[i] : u[i]) / r->w[i];
    if (a < -1e-12) return HUGE_VAL;
    sum += r->w[i] * a * (a / 4 - 1);
  }
  return sum;
}

LAR_ENTRY(family, hinge) = {
  .name = "hinge",
  .doc = "max(0, 1 - s eta)^2 for labels 1 (s = -1) and 2 (s = 1): a smooth margin",
  .source = "Chang, Hsieh & Lin 2008, JMLR 9",
  .size = sizeof(none),
  .traits = LAR_FAM_CONVEX | LAR_FAM_LABELS,
  .ready = ready,
  .value = value_of,
  .slopes = slopes_of,
  .bound = bound,
  .stretch = stretch,
  .conjugate = conjugate,
  .saturated = zero_of,
  .response = predict_eta,
};
