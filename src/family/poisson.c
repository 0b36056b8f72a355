#include "core/vecmath.h"
#include "family/family.h"

static const double MOST = 1e18; /* beyond, the predictor has no digits left for x */

static inline double xlogx(double q) { return q > 0 ? q * log(q) : 0; }

static lar_status ready(const void *self, lar_rows *r) {
  double sum = 0;
  for (int64_t i = 0; i < r->n; i++) {
    if (r->w[i] == 0) continue;
    if (!(r->y[i] >= 0 && r->y[i] <= MOST))
      return lar_fail(LAR_EARG, "poisson: y holds %g in row %lld; counts are 0 to %g", r->y[i],
                      (long long)i + 1, MOST);
    sum += r->w[i] * r->y[i];
  }
  return sum > 0 ? LAR_OK : lar_fail(LAR_EARG, "poisson: every count in y is 0");
}

static lar_status value(const void *self, const lar_rows *r, const double *eta, double *out) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < r->n; i++) {
    double each = exp(eta[i]) - r->y[i] * eta[i];
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
    double mu = exp(eta[i]);
    if (g != NULL) g[i] = w[i] == 0 ? 0 : w[i] * (mu - y[i]);
    if (h != NULL) h[i] = w[i] == 0 ? 0 : w[i] * mu;
  }
  return LAR_OK;
}

/* The second derivative is w mu = g + w y. */
static double heaviest(const void *self, const lar_rows *r, const double *u, double share) {
  double most = 0;
  for (int64_t i = 0; i < r->n; i++)
    if (r->w[i] > 0) most = fmax(most, share * u[i] + r->w[i] * r->y[i]);
  return most;
}

static double conjugate(const void *self, const lar_rows *r, const double *u) {
  double sum = 0;
  for (int64_t i = 0; i < r->n; i++) {
    if (r->w[i] == 0) continue;
    double q = r->y[i] + u[i] / r->w[i];
    if (q < -1e-12 * (1 + r->y[i])) return HUGE_VAL;
    sum += r->w[i] * (xlogx(q) - (q > 0 ? q : 0));
  }
  return sum;
}

static double saturated(const void *self, const lar_rows *r) {
  double sum = 0;
  for (int64_t i = 0; i < r->n; i++)
    if (r->w[i] > 0) sum += r->w[i] * (r->y[i] - xlogx(r->y[i]));
  return sum;
}

static void response(const void *self, int64_t n, int64_t k, const double *eta, double *out) {
  for (int64_t i = 0; i < n * k; i++) out[i] = exp(eta[i]);
}

LAR_ENTRY(family, poisson) = {
  .name = "poisson",
  .doc = "counts with a log link: exp(eta) - y eta",
  .source = "McCullagh & Nelder 1989, Generalized Linear Models, 2nd edition, ch. 6",
  .traits = LAR_FAM_CONVEX,
  .ready = ready,
  .value = value,
  .slopes = slopes,
  .heaviest = heaviest,
  .conjugate = conjugate,
  .saturated = saturated,
  .response = response,
};
