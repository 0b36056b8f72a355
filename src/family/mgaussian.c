/* Several responses with squared loss, which a penalty of groups ties together. */
#include "family/each.h"

typedef struct none {
  char unused;
} none;

static lar_status ready(const void *self, lar_rows *r) {
  return lar_each_finite("mgaussian", r);
}

static lar_status value(const void *self, const lar_rows *r, const double *eta, double *out) {
  double sum = 0;
  for (int64_t c = 0; c < r->k; c++) {
    const double *y = r->y + c * r->n, *e = eta + c * r->n;
    for (int64_t i = 0; i < r->n; i++)
      if (r->w[i] > 0) sum += r->w[i] * (e[i] - y[i]) * (e[i] - y[i]);
  }
  *out = sum / 2;
  return LAR_OK;
}

static lar_status slopes(const void *self, const lar_rows *r, const double *eta, double *g,
                         double *h) {
  for (int64_t c = 0; c < r->k; c++)
    for (int64_t i = 0; i < r->n; i++) {
      int64_t j = c * r->n + i;
      if (g != NULL) g[j] = r->w[i] > 0 ? r->w[i] * (eta[j] - r->y[j]) : 0;
      if (h != NULL) h[j] = r->w[i];
    }
  return LAR_OK;
}

static double bound(const void *self) { return 1; }

static double conjugate(const void *self, const lar_rows *r, const double *u) {
  double sum = 0;
  for (int64_t c = 0; c < r->k; c++)
    for (int64_t i = 0; i < r->n; i++) {
      int64_t j = c * r->n + i;
      if (r->w[i] > 0) sum += u[j] * (r->y[j] + u[j] / (2 * r->w[i]));
    }
  return sum;
}

static double saturated(const void *self, const lar_rows *r) { return 0; }

static void response(const void *self, int64_t n, int64_t k, const double *eta, double *out) {
  for (int64_t j = 0; j < n * k; j++) out[j] = eta[j];
}

LAR_ENTRY(family, mgaussian) = {
  .name = "mgaussian",
  .doc = "sum over responses of (eta - y)^2 / 2",
  .source = "Obozinski, Wainwright & Jordan 2011, Ann. Statist. 39(1)",
  .size = sizeof(none),
  .traits = LAR_FAM_CONVEX | LAR_FAM_QUADRATIC | LAR_FAM_MULTI,
  .ready = ready,
  .value = value,
  .slopes = slopes,
  .bound = bound,
  .conjugate = conjugate,
  .saturated = saturated,
  .response = response,
};
