/* A loss of the caller's: what it gives for rows is weighted and added up here. */
#include "core/mem.h"
#include "family/family.h"

/* Room for n numbers, and a NaN in a row that counts is an error. */
static lar_status call(const lar_custom *c, const lar_rows *r, const double *eta, double *each,
                       double *d1, double *d2) {
  LAR_TRY(c->rows(c->ctx, r, eta, each, d1, d2));
  for (int64_t i = 0; i < r->n; i++) {
    if (r->w[i] == 0) continue;
    if (!isfinite(each[i]) || (d1 != NULL && !isfinite(d1[i])) ||
        (d2 != NULL && !isfinite(d2[i])))
      return lar_fail(LAR_EMATH, "custom loss: row %lld gives %g at the predictor %g",
                      (long long)i + 1, each[i], eta[i]);
  }
  return LAR_OK;
}

static lar_status ready(const void *self, lar_rows *r) { return LAR_OK; }

static lar_status value(const void *self, const lar_rows *r, const double *eta, double *out) {
  void *p;
  LAR_TRY(lar_alloc(&p, (size_t)r->n + 1, sizeof(double)));
  double *each = p;
  lar_status st = call(self, r, eta, each, NULL, NULL);
  *out = 0;
  for (int64_t i = 0; st == LAR_OK && i < r->n; i++)
    if (r->w[i] > 0) *out += r->w[i] * each[i];
  lar_free(p);
  return st;
}

/* Curvature below 0 is taken as 0. */
static lar_status slopes(const void *self, const lar_rows *r, const double *eta, double *g,
                         double *h) {
  void *p;
  size_t n = (size_t)r->n;
  LAR_TRY(lar_alloc(&p, 3 * n + 1, sizeof(double)));
  double *each = p, *d1 = each + n, *d2 = d1 + n;
  lar_status st = call(self, r, eta, each, d1, h != NULL ? d2 : NULL);
  for (int64_t i = 0; st == LAR_OK && i < r->n; i++) {
    bool counts = r->w[i] > 0;
    if (g != NULL) g[i] = counts ? r->w[i] * d1[i] : 0;
    if (h != NULL) h[i] = counts ? r->w[i] * fmax(d2[i], 0) : 0;
  }
  lar_free(p);
  return st;
}

static double bound(const void *self) { return HUGE_VAL; }

/* Not known; most losses that people write are never below 0. */
static double saturated(const void *self, const lar_rows *r) { return 0; }

static void response(const void *self, int64_t n, int64_t k, const double *eta, double *out) {
  for (int64_t i = 0; i < n * k; i++) out[i] = eta[i];
}

LAR_ENTRY(family, custom) = {
  .name = "custom",
  .doc = "a loss written by the caller",
  .source = "",
  .size = sizeof(lar_custom),
  .traits = 0,
  .ready = ready,
  .value = value,
  .slopes = slopes,
  .bound = bound,
  .saturated = saturated,
  .response = response,
};
