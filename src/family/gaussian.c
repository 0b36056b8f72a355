#include <string.h>

#include "family/family.h"

static lar_status value(const void *self, const lar_rows *r, const double *eta, double *out) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < r->n; i++)
    sum += r->w[i] == 0 ? 0 : r->w[i] * (r->y[i] - eta[i]) * (r->y[i] - eta[i]);
  *out = sum / 2;
  return LAR_OK;
}

static lar_status slopes(const void *self, const lar_rows *r, const double *eta, double *g,
                         double *h) {
  if (g != NULL)
    for (int64_t i = 0; i < r->n; i++) g[i] = r->w[i] == 0 ? 0 : r->w[i] * (eta[i] - r->y[i]);
  if (h != NULL) memcpy(h, r->w, (size_t)r->n * sizeof *h);
  return LAR_OK;
}

static double bound(const void *self) { return 1; }

static double conjugate(const void *self, const lar_rows *r, const double *u) {
  double sum = 0;
  for (int64_t i = 0; i < r->n; i++)
    if (r->w[i] > 0) sum += u[i] * (u[i] / (2 * r->w[i]) + r->y[i]);
  return sum;
}

static double saturated(const void *self, const lar_rows *r) { return 0; }

static void response(const void *self, int64_t n, int64_t k, const double *eta, double *out) {
  memcpy(out, eta, (size_t)(n * k) * sizeof *out);
}

LAR_ENTRY(family, gaussian) = {
  .name = "gaussian",
  .doc = "half the squared error",
  .source = "Friedman, Hastie & Tibshirani 2010, J. Stat. Softw. 33(1), eq. 1",
  .traits = LAR_FAM_QUADRATIC | LAR_FAM_CONVEX,
  .value = value,
  .slopes = slopes,
  .bound = bound,
  .conjugate = conjugate,
  .saturated = saturated,
  .response = response,
};
