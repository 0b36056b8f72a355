#include "penalty/spectrum.h"

typedef struct none {
  char unused;
} none;

static double phi(const void *self, double l, double s, double step) { return l * s; }
static double slope(const void *self, double l, double s, double step) { return l; }
static double shrink(const void *self, double l, double s, double t) {
  return lar_soft(s, t * l);
}

static lar_status value(const lar_pen_at *at, const lar_tensor *w, double *out) {
  return lar_spectrum_value(at, w, phi, out);
}

static lar_status grad(const lar_pen_at *at, const lar_tensor *w, const lar_tensor *g) {
  return lar_spectrum_grad(at, w, slope, g);
}

static lar_status prox(const lar_pen_at *at, const lar_tensor *w, double step,
                       const lar_tensor *metric) {
  return lar_spectrum_prox(at, w, shrink, step);
}

LAR_ENTRY(penalty, nuclear) = {
  .name = "nuclear",
  .doc = "the sum of singular values: matrices of low rank",
  .source = "Fazel, Hindi & Boyd 2001, ACC; prox: Cai, Candes & Shen 2010, SIAM J. Optim. "
            "20(4), theorem 2.1",
  .formula = "lambda |w|_*",
  .size = sizeof(none),
  .traits = LAR_CONVEX | LAR_EUCLIDEAN | LAR_FALLIBLE | LAR_NORM,
  .value = value,
  .grad = grad,
  .prox = prox,
  .at_max = lar_spectrum_max,
};
