/*
 * family/each - the loops of a family with one predictor a row and rows that do not meet.
 *
 * Floor:    family.
 * Contract: a file with a parameter struct `type` says
 *             static inline double loss(const type *p, double y, double eta)
 *             static inline void turn(const type *p, double y, double eta, double *d1,
 *                                     double *d2)      first and second derivative in eta
 *           and LAR_EACH_LOOPS(type): value_of, slopes_of, predict_eta and zero_of follow.
 */
#ifndef LAR_FAMILY_EACH_H
#define LAR_FAMILY_EACH_H

#include "family/family.h"

/* Every y with a weight is finite. */
static inline lar_status lar_each_finite(const char *name, const lar_rows *r) {
  for (int64_t c = 0; c < r->k; c++)
    for (int64_t i = 0; i < r->n; i++)
      if (r->w[i] > 0 && !isfinite(r->y[c * r->n + i]))
        return lar_fail(LAR_EARG, "%s: y is %g in row %lld; it must be finite", name,
                        r->y[c * r->n + i], (long long)i + 1);
  return LAR_OK;
}

#define LAR_EACH_LOOPS(type)                                                          \
  static lar_status value_of(const void *self, const lar_rows *r, const double *eta,  \
                             double *out) {                                           \
    const type p = *(const type *)self;                                               \
    double sum = 0;                                                                   \
    for (int64_t i = 0; i < r->n; i++)                                                \
      if (r->w[i] > 0) sum += r->w[i] * loss(&p, r->y[i], eta[i]);                    \
    *out = sum;                                                                       \
    return LAR_OK;                                                                    \
  }                                                                                   \
  static lar_status slopes_of(const void *self, const lar_rows *r, const double *eta, \
                              double *g, double *h) {                                 \
    const type p = *(const type *)self;                                               \
    for (int64_t i = 0; i < r->n; i++) {                                              \
      double d1 = 0, d2 = 0;                                                          \
      if (r->w[i] > 0) turn(&p, r->y[i], eta[i], &d1, &d2);                           \
      if (g != NULL) g[i] = r->w[i] * d1;                                             \
      if (h != NULL) h[i] = r->w[i] * d2;                                             \
    }                                                                                 \
    return LAR_OK;                                                                    \
  }                                                                                   \
  static double zero_of(const void *self, const lar_rows *r) { return 0; }            \
  static void predict_eta(const void *self, int64_t n, int64_t k, const double *eta,  \
                          double *out) {                                              \
    for (int64_t i = 0; i < n * k; i++) out[i] = eta[i];                              \
  }

#endif
