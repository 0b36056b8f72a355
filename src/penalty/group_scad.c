#include "core/real.h"
#include "penalty/concave.h"

typedef struct scad {
  double gamma;
} scad;

static const lar_param schema[] = {
  {"gamma", offsetof(scad, gamma), 3.7, 2.0 * (1 + 2.220446049250313e-16), HUGE_VAL,
   "flat beyond gamma lambda; convex problems stay so where gamma - 1 > step"},
  {0},
};

static inline double value(const scad *p, double l, double size, double r) {
  double lg = l * sqrt(size), far = fmin(r, p->gamma * lg), past = fmax(far - lg, 0);
  return lg * far - past * past / (2 * (p->gamma - 1)) + 0 * r;
}

static inline double slope(const scad *p, double l, double size, double r) {
  double lg = l * sqrt(size);
  return fmin(lg, fmax((p->gamma * lg - r) / (p->gamma - 1), 0));
}

static inline double concavity(const scad *p) { return 1 / (p->gamma - 1); }

/* Soft up to (1 + t) lambda, a straight line to gamma lambda, then v; from step gamma - 1 on
 * soft or v, whichever is less. */
static inline double shrink(const scad *p, double l, double size, double r, double t) {
  double lg = l * sqrt(size), a = p->gamma, low = (1 + t) * lg, high = a * lg;
  if (t >= a - 1) low = high = t <= a + 1 ? lg * (a + 1 + t) / 2 : lg * sqrt(t) * sqrt(a + 1);
  return r <= low   ? lar_soft(r, t * lg)
         : r < high ? ((a - 1) * r - t * a * lg) / (a - 1 - t)
                    : r;
}

LAR_RADIAL_LOOPS(scad)
LAR_RADIAL_ENTRY(group_scad)

LAR_ENTRY(penalty, group_scad) = {
  .name = "group_scad",
  .doc = "smoothly clipped norms of groups: large groups are not shrunk",
  .source = "Fan & Li 2001, JASA 96(456); Wang, Chen & Li 2007, Bioinformatics 23(12)",
  .formula = "sum_g int_0^|w_g| clip((gamma lambda sqrt(|g|) - x)/(gamma - 1), 0, "
             "lambda sqrt(|g|)) dx",
  .params = schema,
  .size = sizeof(scad),
  .traits = LAR_GROUPED | LAR_RADIAL | LAR_ABSOLUTE | LAR_KNEE,
  .at_max = lar_groups_max,
  LAR_RADIAL_SLOTS,
};
