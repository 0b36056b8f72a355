#include "core/real.h"
#include "penalty/separable.h"

typedef struct mcp {
  double gamma;
} mcp;

static const lar_param schema[] = {
  {"gamma", offsetof(mcp, gamma), 3.0, LAR_ABOVE0, HUGE_VAL,
   "the penalty is flat beyond gamma lambda; convex problems stay so where gamma > step"},
  {0},
};

static inline double value(const mcp *p, double l, double w) {
  double a = fabs(w), near = a > p->gamma * l ? p->gamma * l : a; /* NaN stays */
  return near * (l - near * (0.5 / p->gamma));
}

static inline real slope(const mcp *p, real l, real w) {
  real a = l - fabs(w) * (real)(1 / p->gamma);
  return w == 0 || a <= 0 ? (real)0 : copysign(a, w);
}

/* The firm threshold; from step gamma on the objective is concave up to gamma lambda, and the
 * least of its two ends 0 and v wins. */
static inline real shrink(const mcp *p, real l, real v, real t) {
  real gamma = (real)p->gamma, a = fabs(v), low = t * l, high = gamma * l;
  real firm = (a - low) * (1 / (1 - t / gamma));
  bool hard = t >= gamma;
  if (hard) low = high = l * sqrt(gamma) * sqrt(t);
  return a <= low ? (real)0 : a < high ? copysign(firm, v) : v;
}

static inline double distance(const mcp *p, double l, double w, double g) {
  return w == 0 ? fmax(fabs(g) - l, 0.0) : fabs(g + (double)slope(p, (real)l, (real)w));
}

static double at_max(const void *self, double g) { return fabs(g); }

LAR_SEPARABLE_LOOPS(mcp, mcp)

LAR_ENTRY(penalty, mcp) = {
  .name = "mcp",
  .doc = "minimax concave penalty: as l1 near 0, constant for large weights: less bias",
  .source = "Zhang 2010, Ann. Statist. 38(2), eq. 2.1; prox: Breheny & Huang 2011, Ann. Appl. "
            "Stat. 5(1), eq. 2.4",
  .formula = "sum_j int_0^|w_j| max(0, lambda-x/gamma) dx",
  .params = schema,
  .size = sizeof(mcp),
  .traits = LAR_SEPARABLE | LAR_ABSOLUTE | LAR_KNEE,
  .at_max1 = at_max,
  LAR_SEPARABLE_SLOTS(mcp),
};
