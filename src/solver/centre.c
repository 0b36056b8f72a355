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
  if (g->rows.k == 1)
    lar_design_tmul(g->x, slope, lar_total(slope, g->x->n), NULL, 0, out);
  else
    lar_design_tmul_each(g->x, slope, g->rows.k, NULL, 0, out);
}

/* The greatest sum of a predictor's slopes, relative to the sum of their sizes. */
static double slant(const lar_problem *g, const double *slope) {
  const int64_t n = g->x->n;
  double most = 0;
  for (int64_t c = 0; c < g->rows.k; c++) {
    double size = 0;
    for (int64_t i = 0; i < n; i++) size += fabs(slope[c * n + i]);
    if (size > 0) most = fmax(most, fabs(lar_total(slope + c * n, n)) / size);
  }
  return most;
}

static void shift(const lar_problem *g, double *eta, double *b0, const double *step,
                  double by) {
  const int64_t n = g->x->n;
  for (int64_t c = 0; c < g->rows.k; c++) {
    b0[c] += by * step[c];
    for (int64_t i = 0; i < n; i++) eta[c * n + i] += by * step[c];
  }
}

/* Predictors that share rows by their labels: the second derivative is that of a softmax. */
static bool shared(const lar_problem *g) {
  unsigned both = LAR_FAM_MULTI | LAR_FAM_LABELS;
  return (g->family->traits & both) == both;
}

/* sum_i w_i (diag(p_i) - p_i p_i') into A (k * k), and ones, its null vector, made regular. */
static void curves(const lar_problem *g, const double *p, double *A) {
  const int64_t n = g->x->n, k = g->rows.k;
  const double *w = g->rows.w;
  for (int64_t c = 0; c < k; c++)
    for (int64_t d = 0; d <= c; d++) {
      double sum = 0;
      for (int64_t i = 0; i < n; i++)
        if (w[i] > 0) sum += w[i] * p[c * n + i] * ((c == d) - p[d * n + i]);
      A[c * k + d] = A[d * k + c] = sum + 1 / (double)k;
    }
}

/* x of A x = b by Cholesky's method, in place; a pivot that is rounding leaves 0. */
static void solve(double *A, double *x, int64_t k) {
  for (int64_t c = 0; c < k; c++) {
    double pivot = A[c * k + c];
    for (int64_t d = 0; d < c; d++) pivot -= A[c * k + d] * A[c * k + d];
    A[c * k + c] = pivot > 1e-14 ? sqrt(pivot) : HUGE_VAL;
    for (int64_t r = c + 1; r < k; r++) {
      double sum = A[r * k + c];
      for (int64_t d = 0; d < c; d++) sum -= A[r * k + d] * A[c * k + d];
      A[r * k + c] = sum / A[c * k + c];
    }
  }
  for (int64_t c = 0; c < k; c++) {
    for (int64_t d = 0; d < c; d++) x[c] -= A[c * k + d] * x[d];
    x[c] /= A[c * k + c];
  }
  for (int64_t c = k - 1; c >= 0; c--) {
    for (int64_t d = c + 1; d < k; d++) x[c] -= A[d * k + c] * x[d];
    x[c] /= A[c * k + c];
  }
}

/* A bounded family may have no curvature where it stands (huber, far off); what is not bounded
 * (poisson) is kept from leaping, and from standing still where it has none. */
static double newton_step(double down, double curve, double most, double b0) {
  if (most > 0 && most < HUGE_VAL) return down / fmax(curve, 1e-3 * most);
  double leap = 5 + fabs(b0);
  return curve > 0   ? fmax(fmin(down / curve, leap), -leap)
         : down == 0 ? 0
                     : copysign(leap, down);
}

static lar_status direct(const lar_problem *g, const double *eta, const double *b0,
                         const double *slope, double *room, double *step) {
  const int64_t n = g->x->n, k = g->rows.k;
  double most = g->family->bound != NULL ? g->family->bound(g->self) : 0;
  for (int64_t c = 0; c < k; c++) step[c] = -lar_total(slope + c * n, n);
  if (shared(g)) {
    g->family->response(g->self, n, k, eta, room);
    curves(g, room, room + n * k);
    solve(room + n * k, step, k);
    return LAR_OK;
  }
  LAR_TRY(g->family->slopes(g->self, &g->rows, eta, NULL, room));
  for (int64_t c = 0; c < k; c++) {
    step[c] = newton_step(step[c], lar_total(room + c * n, n), most, b0[c]);
  }
  return LAR_OK;
}

/* One step, halved until F does not rise. */
static lar_status advance(const lar_problem *g, double *eta, double *b0, const double *step) {
  enum { HALVES = 60 };
  double before, after, by = 1;
  LAR_TRY(g->family->value(g->self, &g->rows, eta, &before));
  for (int half = 0; half < HALVES; half++, by /= 2) {
    shift(g, eta, b0, step, by);
    LAR_TRY(g->family->value(g->self, &g->rows, eta, &after));
    if (after <= before) return LAR_OK;
    shift(g, eta, b0, step, -by);
  }
  return LAR_OK;
}

static const double FINE = 1e-14;

/* Rounds go on until the slopes sum to 0, or, close to that, gain no more. */
lar_status lar_centre(const lar_problem *g, double *eta, double *b0, double *slope) {
  enum { ROUNDS = 200 };
  const size_t n = (size_t)g->x->n, k = (size_t)g->rows.k;
  void *made;
  double last = HUGE_VAL;
  LAR_TRY(g->family->slopes(g->self, &g->rows, eta, slope, NULL));
  if (!g->intercept || slant(g, slope) <= FINE) return LAR_OK;
  LAR_TRY(lar_alloc_raw(&made, n * k + k * k + k + 1, sizeof(double)));
  double *room = made, *step = room + n * k + k * k;
  lar_status st = LAR_OK;
  for (int round = 0; round < ROUNDS; round++) {
    double now = slant(g, slope);
    if (now <= FINE || (now <= 1e-9 && now > last / 4)) break;
    LAR_GO(direct(g, eta, b0, slope, room, step));
    if (now < 1e-3 && now < last) /* near enough to go without looking */
      shift(g, eta, b0, step, 1);
    else
      LAR_GO(advance(g, eta, b0, step));
    last = now;
    LAR_GO(g->family->slopes(g->self, &g->rows, eta, slope, NULL));
  }
done:
  lar_free(made);
  return st;
}
