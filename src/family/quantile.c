/* The check loss d (tau - [d < 0]), d = y - eta, or its Moreau envelope
 *   max over tau - 1 <= a <= tau of a d - width a^2 / 2,
 * which is below it by at most width / 2 max(tau, 1 - tau)^2 and smooth. */
#include <stdlib.h>

#include "core/mem.h"
#include "family/each.h"

typedef struct quantile {
  double tau, width;
} quantile;

static const lar_param params[] = {
  {"tau", offsetof(quantile, tau), 0.5, LAR_ABOVE0, LAR_BELOW1,
   "the quantile: 0.5, the median"},
  {"width", offsetof(quantile, width), 0, 0, HUGE_VAL,
   "of the smoothing: the kink is a parabola on [(tau - 1) width, tau width]; 0: exact"},
  {0}};

/* The slope in d; 0 at the kink of the exact loss. */
static inline double lean(const quantile *p, double d) {
  if (p->width == 0) return d > 0 ? p->tau : d < 0 ? p->tau - 1 : 0;
  return fmin(fmax(d / p->width, p->tau - 1), p->tau);
}

static inline double loss(const quantile *p, double y, double eta) {
  double d = y - eta, a = lean(p, d);
  return a * d - p->width * a * a / 2;
}

static inline void turn(const quantile *p, double y, double eta, double *d1, double *d2) {
  double a = lean(p, y - eta);
  *d1 = -a;
  *d2 = p->width > 0 && a > p->tau - 1 && a < p->tau ? 1 / p->width : 0;
}

LAR_EACH_LOOPS(quantile)

static lar_status ready(const void *self, lar_rows *r) {
  return lar_each_finite("quantile", r);
}

static double bound(const void *self) {
  double width = ((const quantile *)self)->width;
  return width > 0 ? 1 / width : HUGE_VAL;
}

static void stretch(const void *self, const lar_rows *r, double *low, double *high) {
  const quantile *p = self;
  for (int64_t i = 0; i < r->n; i++) {
    low[i] = r->y[i] - p->tau * p->width;
    high[i] = r->y[i] + (1 - p->tau) * p->width;
  }
}

/* u y + width u^2 / (2 w) where -u / w is in [tau - 1, tau]. */
static double conjugate(const void *self, const lar_rows *r, const double *u) {
  const quantile *p = self;
  const double slack = 1e-12;
  double sum = 0;
  for (int64_t i = 0; i < r->n; i++) {
    if (r->w[i] == 0) continue;
    double a = -u[i] / r->w[i];
    if (a > p->tau + slack || a < p->tau - 1 - slack) return HUGE_VAL;
    sum += u[i] * (r->y[i] - p->width * a / 2);
  }
  return sum;
}

/* ---- the best constant ---- */

typedef struct item {
  double at;
  int64_t row;
} item;

static int rises(const void *a, const void *b) {
  const item *x = a, *y = b;
  if (x->at != y->at) return x->at < y->at ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

/* The weighted tau-quantile; what the rows at it must give for slopes to sum to 0 is shared by
 * their weights. */
static void settle(const quantile *p, const lar_rows *r, const item *x, int64_t m, double *b0,
                   double *g) {
  double total = 0, below = 0, tied = 0;
  int64_t q = 0, end;
  for (int64_t k = 0; k < m; k++) total += r->w[x[k].row];
  while (q < m - 1 && below + r->w[x[q].row] < p->tau * total) below += r->w[x[q++].row];
  *b0 = x[q].at;
  for (below = 0, q = 0; q < m && x[q].at < *b0; q++) {
    below += r->w[x[q].row];
    g[x[q].row] = r->w[x[q].row] * (1 - p->tau);
  }
  for (end = q; end < m && x[end].at == *b0; end++) tied += r->w[x[end].row];
  double share = (p->tau * (total - below - tied) - (1 - p->tau) * below) / tied;
  for (; q < end; q++) g[x[q].row] = r->w[x[q].row] * share;
  for (; q < m; q++) g[x[q].row] = -r->w[x[q].row] * p->tau;
}

static lar_status null(const void *self, const lar_rows *r, const double *offset,
                       bool intercept, double *b0, double *g) {
  void *made;
  int64_t m = 0;
  *b0 = 0;
  LAR_TRY(lar_alloc_raw(&made, (size_t)r->n + 1, sizeof(item)));
  item *x = made;
  for (int64_t i = 0; i < r->n; i++) {
    g[i] = 0;
    if (r->w[i] == 0) continue;
    x[m++] = (item){.at = r->y[i] - (offset != NULL ? offset[i] : 0), .row = i};
    g[i] = -r->w[i] * lean(self, x[m - 1].at);
  }
  qsort(x, (size_t)m, sizeof *x, rises);
  if (intercept && m > 0) settle(self, r, x, m, b0, g);
  lar_free(made);
  return LAR_OK;
}

LAR_ENTRY(family, quantile) = {
  .name = "quantile",
  .doc = "d (tau - [d < 0]), d = y - eta: a quantile instead of the mean; smoothed by width",
  .source = "Koenker & Bassett 1978, Econometrica 46(1); envelope: Moreau 1965, Bull. SMF 93",
  .params = params,
  .size = sizeof(quantile),
  .traits = LAR_FAM_CONVEX | LAR_FAM_KINKED,
  .ready = ready,
  .value = value_of,
  .slopes = slopes_of,
  .bound = bound,
  .stretch = stretch,
  .conjugate = conjugate,
  .saturated = zero_of,
  .null = null,
  .response = predict_eta,
};
