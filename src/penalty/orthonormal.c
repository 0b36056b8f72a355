#include "penalty/spectrum.h"

typedef struct none {
  char unused;
} none;

static double off(const void *self, double l, double s, double step) {
  return fabs(s - 1) > 1e-9 ? HUGE_VAL : 0;
}

static double off_f32(const void *self, double l, double s, double step) {
  return fabs(s - 1) > 1e-5 ? HUGE_VAL : 0;
}

static double one(const void *self, double l, double s, double t) { return 1; }

static lar_status value(const lar_pen_at *at, const lar_tensor *w, double *out) {
  return lar_spectrum_value(at, w, w->dtype == LAR_F32 ? off_f32 : off, out);
}

static lar_status grad(const lar_pen_at *at, const lar_tensor *w, const lar_tensor *g) {
  return LAR_OK;
}

static lar_status prox(const lar_pen_at *at, const lar_tensor *w, double step,
                       const lar_tensor *metric) {
  return lar_spectrum_prox(at, w, one, step);
}

LAR_ENTRY(penalty, orthonormal) = {
  .name = "orthonormal",
  .doc = "orthonormal rows of a matrix, or columns where they are fewer: its polar factor",
  .source = "Fan & Hoffman 1955, Proc. AMS 6(1); Higham 1986, SIAM J. Sci. Stat. Comput. 7(4)",
  .formula = "w w' = I (or w' w = I, the smaller)",
  .size = sizeof(none),
  .traits = LAR_CONSTRAINT | LAR_EUCLIDEAN | LAR_FALLIBLE,
  .value = value,
  .grad = grad,
  .prox = prox,
};
