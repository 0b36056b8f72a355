#include "solver/centre.h"

#include "core/mem.h"

double lar_total(const double *v, int64_t n) {
  double lane[8] = {0}, sum = 0;
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int k = 0; k < 8; k++) lane[k] += v[i + k];
  for (; i < n; i++) sum += v[i];
  for (int k = 0; k < 8; k++) sum += lane[k];
  return sum;
}

void lar_predict(const lar_problem *g, const double *b, const double *b0, double *eta) {
  const int64_t n = g->x->n;
  for (int64_t c = 0; c < g->rows.k; c++) {
    lar_design_mul(g->x, b + c * g->x->p, b0[c], eta + c * n);
    for (int64_t i = 0; g->offset != NULL && i < n; i++) eta[c * n + i] += g->offset[c * n + i];
  }
}

void lar_gradient(const lar_problem *g, const double *slope, double *out) {
  const int64_t n = g->x->n;
  for (int64_t c = 0; c < g->rows.k; c++)
    lar_design_tmul(g->x, slope + c * n, lar_total(slope + c * n, n), NULL, 0, out + c * g->x->p);
}

/* Do the slopes of every predictor sum to 0, up to rounding? */
static bool centred(const lar_problem *g, const double *slope) {
  const int64_t n = g->x->n;
  for (int64_t c = 0; c < g->rows.k; c++) {
    double sum = lar_total(slope + c * n, n), size = 0;
    for (int64_t i = 0; i < n; i++) size += fabs(slope[c * n + i]);
    if (fabs(sum) > 1e-14 * size) return false;
  }
  return true;
}

/* What the sum of h leaves out: the second derivatives of labelled predictors that share rows
 * are below twice their diagonal. */
static double safety(const lar_problem *g) {
  unsigned both = LAR_FAM_MULTI | LAR_FAM_LABELS;
  return (g->family->traits & both) == both ? 2 : 1;
}

static void shift(const lar_problem *g, double *eta, double *b0, const double *step,
                  double by) {
  const int64_t n = g->x->n;
  for (int64_t c = 0; c < g->rows.k; c++) {
    b0[c] += by * step[c];
    for (int64_t i = 0; i < n; i++) eta[c * n + i] += by * step[c];
  }
}

/* One step of Newton's method, halved until F falls. *moved: did it? */
static lar_status advance(const lar_problem *g, double *eta, double *b0, const double *slope,
                          const double *h, double *step, bool *moved) {
  enum { HALVES = 30 };
  const int64_t n = g->x->n, k = g->rows.k;
  double before, after, by = 1;
  *moved = false;
  for (int64_t c = 0; c < k; c++) {
    double under = safety(g) * lar_total(h + c * n, n);
    step[c] = under > 0 ? -lar_total(slope + c * n, n) / under : 0;
  }
  LAR_TRY(g->family->value(g->self, &g->rows, eta, &before));
  for (int half = 0; half < HALVES; half++, by /= 2) {
    shift(g, eta, b0, step, by);
    LAR_TRY(g->family->value(g->self, &g->rows, eta, &after));
    if (after <= before) {
      *moved = after < before || half == 0;
      return LAR_OK;
    }
    shift(g, eta, b0, step, -by);
  }
  return LAR_OK;
}

lar_status lar_centre(const lar_problem *g, double *eta, double *b0, double *slope, double *h) {
  enum { ROUNDS = 60 };
  const size_t n = (size_t)(g->x->n * g->rows.k);
  void *made;
  bool moved = true;
  LAR_TRY(g->family->slopes(g->self, &g->rows, eta, slope, h));
  if (!g->intercept || centred(g, slope)) return LAR_OK;
  LAR_TRY(lar_alloc_raw(&made, n + (size_t)g->rows.k + 1, sizeof(double)));
  double *curve = made, *step = curve + n;
  lar_status st = LAR_OK;
  for (int round = 0; round < ROUNDS && moved; round++) {
    LAR_GO(g->family->slopes(g->self, &g->rows, eta, slope, curve));
    if (centred(g, slope)) break;
    LAR_GO(advance(g, eta, b0, slope, curve, step, &moved));
  }
  LAR_GO(g->family->slopes(g->self, &g->rows, eta, slope, h));
done:
  lar_free(made);
  return st;
}
