#include "core/real.h"
#include "penalty/separable.h"

typedef struct none {
  char unused;
} none;

static inline double value(const none *p, double l, double w) {
  return w == 0 ? 0 : w == w ? l : w;
}

static inline real slope(const none *p, real l, real w) { return 0; }

static inline real shrink(const none *p, real l, real v, real t) {
  return fabs(v) <= sqrt(2 * t * l) ? (real)0 : v;
}

/* At 0 every slope is a subgradient. */
static inline double distance(const none *p, double l, double w, double g) {
  return w == 0 ? 0 : fabs(g);
}

LAR_SEPARABLE_LOOPS(l0, none)

LAR_ENTRY(penalty, l0) = {
  .name = "l0",
  .doc = "number of coordinates that are not 0: hard thresholding, no shrinkage",
  .source = "Blumensath & Davies 2008, J. Fourier Anal. Appl. 14(5-6)",
  .formula = "lambda |w|_0",
  .size = sizeof(none),
  .traits = LAR_SEPARABLE | LAR_ABSOLUTE | LAR_FLAT,
  LAR_SEPARABLE_SLOTS(l0),
};
