#include "penalty/spectrum.h"

typedef struct mcp {
  double gamma;
} mcp;

static const lar_param schema[] = {
  {"gamma", offsetof(mcp, gamma), 3.0, LAR_ABOVE0, HUGE_VAL,
   "flat beyond gamma lambda; convex problems stay so where gamma > step"},
  {0},
};

static double phi(const void *self, double l, double s, double step) {
  const mcp *p = self;
  return s <= p->gamma * l ? s * (l - s / (2 * p->gamma)) : p->gamma * l * l / 2;
}

static double slope(const void *self, double l, double s, double step) {
  return fmax(l - s / ((const mcp *)self)->gamma, 0);
}

/* The firm threshold; from step gamma on 0 or s, whichever is less. */
static double shrink(const void *self, double l, double s, double t) {
  double gamma = ((const mcp *)self)->gamma, low = t * l, high = gamma * l;
  if (t >= gamma) low = high = l * sqrt(gamma) * sqrt(t);
  return s <= low ? 0 : s < high ? (s - low) / (1 - t / gamma) : s;
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

LAR_ENTRY(penalty, nuclear_mcp) = {
  .name = "nuclear_mcp",
  .doc = "minimax concave penalty of singular values: low rank, large values not shrunk",
  .source = "Zhang 2010, Ann. Statist. 38(2); Lu et al. 2015, AAAI, generalized singular value "
            "thresholding",
  .formula = "sum_k int_0^s_k max(0, lambda - x/gamma) dx, s the singular values",
  .params = schema,
  .size = sizeof(mcp),
  .traits = LAR_EUCLIDEAN | LAR_FALLIBLE | LAR_KNEE,
  .value = value,
  .grad = grad,
  .prox = prox,
  .at_max = lar_spectrum_max,
};
