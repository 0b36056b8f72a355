#include "core/vecmath.h"
#include "family/family.h"

/* log(1 + exp(eta)) without overflow */
static inline double softplus(double eta) {
  return (eta > 0 ? eta : 0) + log1p(exp(-fabs(eta)));
}

static inline double xlogx(double q) { return q > 0 ? q * log(q) : 0; }

static lar_status ready(const void *self, lar_rows *r) {
  double ones = 0;
  for (int64_t i = 0; i < r->n; i++) {
    if (r->w[i] == 0) continue;
    if (!(r->y[i] >= 0 && r->y[i] <= 1))
      return lar_fail(LAR_EARG,
                      "binomial: y holds %g in row %lld; it takes 0 and 1, or shares between",
                      r->y[i], (long long)i + 1);
    ones += r->w[i] * r->y[i];
  }
  if (!(ones > 1e-12 && ones < 1 - 1e-12))
    return lar_fail(LAR_EARG, "binomial: y is of one class; there is nothing to tell apart");
  return LAR_OK;
}

static lar_status value(const void *self, const lar_rows *r, const double *eta, double *out) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < r->n; i++) {
    double each = softplus(eta[i]) - r->y[i] * eta[i];
    sum += r->w[i] == 0 ? 0 : r->w[i] * each;
  }
  *out = sum;
  return LAR_OK;
}

static lar_status slopes(const void *self, const lar_rows *r, const double *eta, double *g,
                         double *h) {
  const double *w = r->w, *y = r->y;
#pragma omp simd
  for (int64_t i = 0; i < r->n; i++) {
    double e = exp(-fabs(eta[i])), far = e / (1 + e), q = eta[i] > 0 ? 1 - far : far;
    if (g != NULL) g[i] = w[i] == 0 ? 0 : w[i] * (q - y[i]);
    if (h != NULL) h[i] = w[i] == 0 ? 0 : w[i] * (far * (1 - far));
  }
  return LAR_OK;
}

static double bound(const void *self) { return 0.25; }

static double conjugate(const void *self, const lar_rows *r, const double *u) {
  double sum = 0;
  for (int64_t i = 0; i < r->n; i++) {
    if (r->w[i] == 0) continue;
    double q = r->y[i] + u[i] / r->w[i];
    if (q < -1e-12 || q > 1 + 1e-12) return HUGE_VAL;
    sum += r->w[i] * (xlogx(q) + xlogx(1 - q));
  }
  return sum;
}

static double saturated(const void *self, const lar_rows *r) {
  double sum = 0;
  for (int64_t i = 0; i < r->n; i++)
    if (r->w[i] > 0) sum -= r->w[i] * (xlogx(r->y[i]) + xlogx(1 - r->y[i]));
  return sum;
}

static void response(const void *self, int64_t n, int64_t k, const double *eta, double *out) {
  for (int64_t i = 0; i < n * k; i++) out[i] = 1 / (1 + exp(-eta[i]));
}

LAR_ENTRY(family, binomial) = {
  .name = "binomial",
  .doc = "log loss of two classes",
  .source = "Friedman, Hastie & Tibshirani 2010, J. Stat. Softw. 33(1), eq. 13",
  .traits = LAR_FAM_LABELS | LAR_FAM_CONVEX,
  .ready = ready,
  .value = value,
  .slopes = slopes,
  .bound = bound,
  .conjugate = conjugate,
  .saturated = saturated,
  .response = response,
};
