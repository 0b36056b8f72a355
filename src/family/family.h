/*
 * family/family - what a loss of a linear predictor must say of itself.
 *
 * Floor:    family (may include: kern core).
 * Contract: one family a file; it defines one `LAR_ENTRY(family, <file>)`. The loss is
 *           F(eta) = sum_i w_i loss(y_i, eta_i) with weights that sum to 1, so that it is the
 *           mean loss of CONVENTIONS. All is float64. With k predictors a row (classes,
 *           responses), arrays are k columns of n: eta[c * n + i]. A NULL slot means "cannot".
 *           Rows of weight 0 (held out) do not act and may hold anything.
 */
#ifndef LAR_FAMILY_FAMILY_H
#define LAR_FAMILY_FAMILY_H

#include "core/entry.h"
#include "core/param.h"
#include "core/tensor.h"

enum {
  LAR_FAM_QUADRATIC = 1u << 0, /* h does not depend on eta */
  LAR_FAM_LABELS = 1u << 1,    /* y are classes: 1..k with k columns, 0 and 1 with one */
  LAR_FAM_MULTI = 1u << 2,     /* k columns */
  LAR_FAM_JOINT = 1u << 3,     /* rows are not independent (cox): h is the diagonal */
  LAR_FAM_SHIFTS = 1u << 4,    /* F does not change when a constant is added: no intercept */
  LAR_FAM_KINKED = 1u << 5,    /* F has kinks where there is no bound: see lar_family_kinked */
  LAR_FAM_CONVEX = 1u << 6,
  LAR_FAM_CALLS = 1u << 7, /* calls its caller back: on the thread that asked alone */
};

/* The response, made ready by `ready`. y: n * k, of labels n; w: n, sums to 1; extra: what a
 * family needs besides (cox: order), owned. */
typedef struct lar_rows {
  int64_t n, k;
  const double *y, *w;
  const double *status; /* cox: 1 event, 0 censored; NULL otherwise */
  void *extra;
} lar_rows;

typedef struct lar_family {
  const char *name, *doc, *source;
  const lar_param *params;
  size_t size;
  unsigned traits;
  /* Check y (a sentence with the row at fault) and prepare r->extra; r->w is set. */
  lar_status (*ready)(const void *self, lar_rows *r);
  void (*unready)(lar_rows *r);
  /* *out = F(eta) */
  lar_status (*value)(const void *self, const lar_rows *r, const double *eta, double *out);
  /* g = dF/deta and h >= 0, the diagonal of the second derivative (n * k each; either may be
   * NULL). */
  lar_status (*slopes)(const void *self, const lar_rows *r, const double *eta, double *g,
                       double *h);
  /* Of joint ones: the second derivative, at the eta that `value` or `slopes` had last, is
   * diag(d) - L'L. d (n, or NULL); the number of L's rows. out = L v. */
  int64_t (*joint)(const void *self, const lar_rows *r, double *d);
  void (*mix)(const void *self, const lar_rows *r, const double *v, double *out);
  /* Least c such that c w_i (times the unit matrix) is above the second derivative of row i
   * everywhere (1 for gaussian, 1/4 for binomial, 1/2 for multinomial); HUGE_VAL or 0: there
   * is none. */
  double (*bound)(const void *self);
  /* Without a bound, where the second derivative at eta is at most diag(g + c), g being the
   * first: the greatest of share u_i + c_i. */
  double (*heaviest)(const void *self, const lar_rows *r, const double *u, double share);
  /* Of losses that are parabolas and lines: row i has the second derivative bound w_i where eta
   * is within [low_i, high_i] (n each), and 0 elsewhere. NULL: it is no such loss. */
  void (*stretch)(const void *self, const lar_rows *r, double *low, double *high);
  /* F*(u) = sup_eta <u, eta> - F(eta), for u = the gradient slot's g scaled towards 0;
   * HUGE_VAL outside its domain. */
  double (*conjugate)(const void *self, const lar_rows *r, const double *u);
  /* The least value of F over all eta, for deviances: dev = 2 (F - saturated). */
  double (*saturated)(const void *self, const lar_rows *r);
  /* Of kinked ones: the best constant *b0 to add to the offset (0 without intercept), and a
   * subgradient g of F there, one that sums to 0 with an intercept. */
  lar_status (*null)(const void *self, const lar_rows *r, const double *offset, bool intercept,
                     double *b0, double *g);
  /* What is predicted: type "response" (the mean, probabilities); out n * k from eta n * k. */
  void (*response)(const void *self, int64_t n, int64_t k, const double *eta, double *out);
} lar_family;

/* The parameters of `custom`, a loss of the caller's: the loss of every row and its first and
 * second derivative with respect to eta (n each; d1 and d2 may be NULL). */
typedef struct lar_custom {
  void *ctx;
  lar_status (*rows)(void *ctx, const lar_rows *r, const double *eta, double *each, double *d1,
                     double *d2);
} lar_custom;

/* Has it kinks, with these parameters? */
static inline bool lar_family_kinked(const lar_family *f, const void *self) {
  return (f->traits & LAR_FAM_KINKED) != 0 && f->bound(self) == HUGE_VAL;
}

extern const lar_family *const lar_families[]; /* ends in NULL; made by make */
const lar_family *lar_family_find(const char *name);

#endif
