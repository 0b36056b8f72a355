#include "core/real.h"
#include "penalty/concave.h"

typedef struct mcp {
  double gamma;
} mcp;

static const lar_param schema[] = {
  {"gamma", offsetof(mcp, gamma), 3.0, LAR_ABOVE0, HUGE_VAL,
   "flat beyond gamma lambda; convex problems stay so where gamma > step"},
  {0},
};

static inline double value(const mcp *p, double l, double size, double r) {
  double lg = l * sqrt(size), flat = p->gamma * lg;
  return r <= flat ? r * (lg - r / (2 * p->gamma)) : flat * lg / 2 + 0 * r;
}

static inline double slope(const mcp *p, double l, double size, double r) {
  return fmax(l * sqrt(size) - r / p->gamma, 0);
}

static inline double concavity(const mcp *p) { return 1 / p->gamma; }

/* The firm threshold; from step gamma on 0 or v, whichever is less. */
static inline double shrink(const mcp *p, double l, double size, double r, double t) {
  double lg = l * sqrt(size), low = t * lg, high = p->gamma * lg;
  if (t >= p->gamma) low = high = lg * sqrt(p->gamma) * sqrt(t);
  return r <= low ? 0 : r < high ? (r - low) / (1 - t / p->gamma) : r;
}

LAR_RADIAL_LOOPS(mcp)
LAR_RADIAL_ENTRY(group_mcp)

LAR_ENTRY(penalty, group_mcp) = {
  .name = "group_mcp",
  .doc = "minimax concave penalty of the norms of groups: large groups are not shrunk",
  .source = "Zhang 2010, Ann. Statist. 38(2); Breheny & Huang 2015, Stat. Comput. 25(2), "
            "sec. 3.2",
  .formula = "sum_g int_0^|w_g| max(0, lambda sqrt(|g|) - x/gamma) dx",
  .params = schema,
  .size = sizeof(mcp),
  .traits = LAR_GROUPED | LAR_RADIAL | LAR_ABSOLUTE | LAR_KNEE,
  .at_max = lar_groups_max,
  LAR_RADIAL_SLOTS,
};
