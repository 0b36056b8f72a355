/* Classes 1..k with a predictor each; a constant added to all of a row's changes nothing. */
#include "core/vecmath.h"

#include "family/family.h"

typedef struct none {
  char unused;
} none;

static lar_status ready(const void *self, lar_rows *r) {
  double first = 0;
  bool two = false;
  for (int64_t i = 0; i < r->n; i++) {
    if (r->w[i] == 0) continue;
    if (!(r->y[i] >= 1 && r->y[i] <= (double)r->k) || r->y[i] != floor(r->y[i]))
      return lar_fail(LAR_EARG, "multinomial: y is %g in row %lld; classes are 1..%lld",
                      r->y[i], (long long)i + 1, (long long)r->k);
    if (first == 0) first = r->y[i];
    two = two || r->y[i] != first;
  }
  if (!two)
    return lar_fail(LAR_EARG, "multinomial: every row is of class %g; there must be two",
                    first);
  return LAR_OK;
}

enum { BLOCK = 256 };

/* Of rows [begin, begin + m): log sum_c exp(eta_c), and probabilities where p is given. */
static void soften(const double *eta, int64_t n, int64_t k, int64_t begin, int64_t m,
                   double *lse, double *p) {
  double most[BLOCK], sum[BLOCK] = {0};
  for (int64_t i = 0; i < m; i++) most[i] = eta[begin + i];
  for (int64_t c = 1; c < k; c++)
    for (int64_t i = 0; i < m; i++) {
      double e = eta[c * n + begin + i];
      most[i] = e > most[i] ? e : most[i];
    }
  for (int64_t c = 0; c < k; c++) {
    double each[BLOCK];
    const double *e = eta + c * n + begin;
    _Pragma("omp simd") for (int64_t i = 0; i < m; i++) each[i] = exp(e[i] - most[i]);
    for (int64_t i = 0; i < m; i++) sum[i] += each[i];
    for (int64_t i = 0; p != NULL && i < m; i++) p[c * n + begin + i] = each[i];
  }
  for (int64_t c = 0; p != NULL && c < k; c++)
    for (int64_t i = 0; i < m; i++) p[c * n + begin + i] /= sum[i];
  if (lse == NULL) return;
  _Pragma("omp simd") for (int64_t i = 0; i < m; i++) lse[i] = most[i] + log(sum[i]);
}

static lar_status value(const void *self, const lar_rows *r, const double *eta, double *out) {
  double sum = 0, lse[BLOCK];
  for (int64_t begin = 0; begin < r->n; begin += BLOCK) {
    int64_t m = r->n - begin < BLOCK ? r->n - begin : BLOCK;
    soften(eta, r->n, r->k, begin, m, lse, NULL);
    for (int64_t i = begin; i < begin + m; i++)
      if (r->w[i] > 0)
        sum += r->w[i] * (lse[i - begin] - eta[((int64_t)r->y[i] - 1) * r->n + i]);
  }
  *out = sum;
  return LAR_OK;
}

static void response(const void *self, int64_t n, int64_t k, const double *eta, double *out) {
  for (int64_t begin = 0; begin < n; begin += BLOCK)
    soften(eta, n, k, begin, n - begin < BLOCK ? n - begin : BLOCK, NULL, out);
}

/* g or h of one class from its probabilities, which may stand in g's place. */
static void slopes_of(const lar_rows *r, int64_t c, const double *p, double *g, double *h) {
  for (int64_t i = 0; i < r->n; i++) {
    double w = r->w[i], q = w > 0 ? p[i] : 0;
    if (h != NULL) h[i] = w * q * (1 - q);
    if (g != NULL) g[i] = w > 0 ? w * (q - ((int64_t)r->y[i] == c + 1)) : 0;
  }
}

static lar_status slopes(const void *self, const lar_rows *r, const double *eta, double *g,
                         double *h) {
  double *p = g != NULL ? g : h;
  if (p == NULL) return LAR_OK;
  response(self, r->n, r->k, eta, p);
  for (int64_t c = 0; c < r->k; c++)
    slopes_of(r, c, p + c * r->n, g != NULL ? g + c * r->n : NULL,
              h != NULL ? h + c * r->n : NULL);
  return LAR_OK;
}

/* diag(p) - p p' has no eigenvalue above 1/2 (Boehning 1992). */
static double bound(const void *self) { return 0.5; }

/* sum q log(q / w) with q = u + w [y = c], on the simplex of size w. */
static double conjugate(const void *self, const lar_rows *r, const double *u) {
  double sum = 0;
  for (int64_t c = 0; c < r->k; c++)
    for (int64_t i = 0; i < r->n; i++) {
      if (r->w[i] == 0) continue;
      double q = u[c * r->n + i] / r->w[i] + ((int64_t)r->y[i] == c + 1);
      if (q < -1e-12) return HUGE_VAL;
      if (q > 0) sum += r->w[i] * q * log(q);
    }
  return sum;
}

static double saturated(const void *self, const lar_rows *r) { return 0; }

LAR_ENTRY(family, multinomial) = {
  .name = "multinomial",
  .doc = "-log softmax(eta)_y for classes 1..k, a predictor for every class",
  .source = "Friedman, Hastie & Tibshirani 2010, J. Stat. Softw. 33(1), sec. 4; bound: "
            "Boehning 1992, Ann. Inst. Stat. Math. 44",
  .size = sizeof(none),
  .traits = LAR_FAM_CONVEX | LAR_FAM_LABELS | LAR_FAM_MULTI,
  .ready = ready,
  .value = value,
  .slopes = slopes,
  .bound = bound,
  .conjugate = conjugate,
  .saturated = saturated,
  .response = response,
};
