/* The prox of t lambda |D u|_1, D differences of order k + 1 along rows, through its dual
 *   least 1/2 |D' z|^2 - z' D v, |z| <= t lambda;  u = v - D' z
 * by a primal-dual interior point method: each step solves with D D' + a diagonal, banded, in
 * O(n k^2). Slacks are variables of their own, so that they are exact near 0. */
#include "core/mem.h"
#include "kern/copy.h"
#include "penalty/differences.h"
#include "penalty/penalty.h"
#include "penalty/tv.h"

enum { ORDERS = 5, ROUNDS = 200 };

typedef struct trend {
  double order;
} trend;

static const lar_param schema[] = {
  {"order", offsetof(trend, order), 1.0, 0.0, ORDERS, "degree of the pieces", LAR_INTEGER},
  {0},
};

/* One row: n coordinates, m = n - k - 1 differences with the coefficients c[0..k + 1]. */
typedef struct row {
  int64_t n, m;
  int k;
  double bound, scale;                    /* t lambda; the largest |v| */
  double c[ORDERS + 2], band[ORDERS + 2]; /* of D; of D D' by distance from the diagonal */
  double *v, *u;
  double *z, *low, *high, *pull, *push, *dz, *r, *factor;
} row;

static void coefficients(row *x, int k) {
  x->k = k;
  x->c[0] = 1;
  for (int d = 1; d <= k + 1; d++) {
    x->c[d] = 0;
    for (int i = d; i > 0; i--) x->c[i] = x->c[i - 1] - x->c[i];
    x->c[0] = -x->c[0];
  }
  for (int d = 0; d <= k + 1; d++) {
    x->band[d] = 0;
    for (int i = 0; i + d <= k + 1; i++) x->band[d] += x->c[i] * x->c[i + d];
  }
}

static double difference(const row *x, const double *w, int64_t i) {
  double sum = 0;
  for (int d = 0; d <= x->k + 1; d++) sum += x->c[d] * w[i + d];
  return sum;
}

/* u = v - D' z */
static void primal(const row *x) {
  for (int64_t i = 0; i < x->n; i++) x->u[i] = x->v[i];
  for (int64_t i = 0; i < x->m; i++)
    for (int d = 0; d <= x->k + 1; d++) x->u[i + d] -= x->c[d] * x->z[i];
}

/* dz = (D D' + diagonal)^-1 r by a banded L L'; row i of L is at factor[i * width], its
 * diagonal first. */
static void solve_band(const row *x) {
  int64_t width = x->k + 2;
  double *L = x->factor, *dz = x->dz;
  for (int64_t i = 0; i < x->m; i++) {
    double sum = x->r[i];
    for (int64_t d = width - 1; d >= 0; d--) {
      if (d > i) continue;
      int64_t j = i - d;
      double a = x->band[d] + (d == 0 ? x->pull[i] / x->high[i] + x->push[i] / x->low[i] : 0);
      for (int64_t e = d + 1; e < width && e <= i; e++)
        a -= L[i * width + e] * L[j * width + (e - d)];
      L[i * width + d] = d == 0 ? sqrt(a > 0 ? a : 1e-300) : a / L[j * width];
      if (d > 0) sum -= L[i * width + d] * dz[j];
    }
    dz[i] = sum / L[i * width];
  }
  for (int64_t i = x->m - 1; i >= 0; i--) {
    dz[i] /= L[i * width];
    for (int64_t d = 1; d < width && d <= i; d++) dz[i - d] -= L[i * width + d] * dz[i];
  }
}

static double gap(const row *x) {
  double sum = 0;
  for (int64_t i = 0; i < x->m; i++) sum += x->pull[i] * x->high[i] + x->push[i] * x->low[i];
  return sum / (double)(2 * x->m);
}

static double limit(double step, double at, double move) {
  return move < 0 && -at / move < step ? -at / move : step;
}

/* A Newton step towards slack times multiplier = target; how far it went. */
static double advance(const row *x, double target) {
  for (int64_t i = 0; i < x->m; i++)
    x->r[i] = difference(x, x->u, i) - target / x->high[i] + target / x->low[i];
  solve_band(x);
  double step = 1 / 0.995;
  for (int64_t i = 0; i < x->m; i++) {
    double d = x->dz[i];
    double pull = (target + x->pull[i] * d) / x->high[i] - x->pull[i];
    double push = (target - x->push[i] * d) / x->low[i] - x->push[i];
    step = limit(step, x->high[i], -d);
    step = limit(step, x->low[i], d);
    step = limit(step, x->pull[i], pull);
    step = limit(step, x->push[i], push);
  }
  step *= 0.995;
  for (int64_t i = 0; i < x->m; i++) {
    double d = x->dz[i];
    x->pull[i] += step * ((target + x->pull[i] * d) / x->high[i] - x->pull[i]);
    x->push[i] += step * ((target - x->push[i] * d) / x->low[i] - x->push[i]);
    x->z[i] += step * d;
    x->high[i] -= step * d;
    x->low[i] += step * d;
  }
  primal(x);
  return step;
}

static lar_status filter(const row *x) {
  double most = 0, step = 0, fine = 1e-24 * x->scale * x->scale;
  for (int64_t i = 0; i < x->m; i++) most = fmax(most, fabs(difference(x, x->v, i)));
  if (most == 0) return LAR_OK;
  for (int64_t i = 0; i < x->m; i++) {
    x->z[i] = 0;
    x->high[i] = x->low[i] = x->bound;
    x->pull[i] = x->push[i] = most;
  }
  primal(x);
  for (int round = 0; round < ROUNDS && !(gap(x) < fine && step > 0.9); round++)
    step = advance(x, (step > 0.9 ? 0.02 : 0.2) * gap(x));
  if (!(gap(x) < 1e-20 * x->scale * x->scale))
    return lar_fail(LAR_EMATH,
                    "trend_filter: double has too few digits for differences of order %d of "
                    "rows of %lld; a lower order, shorter rows or another lambda may do",
                    x->k + 1, (long long)x->n);
  return LAR_OK;
}

/* ---- whole tensors ---- */

static int64_t length(const lar_tensor *w) { return w->ndim > 0 ? w->shape[w->ndim - 1] : 1; }

static row row_of(const lar_pen_at *at, const lar_tensor *w) {
  row x = {.n = length(w)};
  coefficients(&x, (int)((const trend *)at->self)->order);
  x.m = x.n - x.k - 1;
  return x;
}

static lar_status value(const lar_pen_at *at, const lar_tensor *w, double *out) {
  row x = row_of(at, w);
  lar_tensor t = {0};
  double sum = 0;
  LAR_TRY(lar_contiguous(&t, w, LAR_F64));
  const double *v = lar_tensor_data(&t);
  for (int64_t i = 0, n = lar_tensor_numel(w); i < n; i++) {
    if (i % x.n < x.m) sum += fabs(difference(&x, v + i, 0));
    sum += v[i] * 0; /* NaN is NaN */
  }
  *out = at->l * sum;
  lar_tensor_clear(&t);
  return LAR_OK;
}

static lar_status grad(const lar_pen_at *at, const lar_tensor *w, const lar_tensor *g) {
  row x = row_of(at, w);
  lar_tensor t = {0};
  LAR_TRY(lar_contiguous(&t, w, LAR_F64));
  const double *v = lar_tensor_data(&t);
  for (int64_t i = 0, n = lar_tensor_numel(w); i < n; i++) {
    double d = i % x.n < x.m ? difference(&x, v + i, 0) : 0;
    for (int e = 0; d != 0 && e <= x.k + 1; e++)
      lar_tensor_put(g, i + e, lar_tensor_get(g, i + e) + copysign(at->l, d) * x.c[e]);
  }
  lar_tensor_clear(&t);
  return LAR_OK;
}

/* v is a row to be filtered in place. */
static lar_status filter_row(row *x, double *v) {
  double sum = 0;
  x->v = v, x->scale = 0;
  for (int64_t i = 0; i < x->n; i++) {
    sum += v[i] * 0;
    x->scale = fmax(x->scale, fabs(v[i]));
  }
  for (int64_t i = 0; sum != 0 && i < x->n; i++) v[i] = (double)NAN;
  if (sum != 0 || x->scale == 0) return LAR_OK;
  for (int64_t i = 0; i < x->n; i++) x->u[i] = v[i];
  LAR_TRY(filter(x));
  for (int64_t i = 0; i < x->n; i++) v[i] = x->u[i];
  return LAR_OK;
}

static lar_status prox(const lar_pen_at *at, const lar_tensor *w, double step,
                       const lar_tensor *metric) {
  row x = row_of(at, w);
  lar_tensor t = {0};
  void *room = NULL;
  lar_status st = LAR_OK;
  int64_t rows = x.n > 0 ? lar_tensor_numel(w) / x.n : 0;
  if (x.m <= 0 || rows == 0) return LAR_OK;
  if (x.k == 0) return lar_tv_prox(w, at->l, step, NULL, 0);
  x.bound = at->l * step;
  LAR_GO(lar_clone(&t, w, LAR_F64));
  LAR_GO(lar_alloc(&room, (size_t)x.n * (size_t)(10 + x.k), sizeof(double)));
  double *a = room;
  x.u = a, x.z = a + x.n, x.low = a + 2 * x.n, x.high = a + 3 * x.n, x.pull = a + 4 * x.n;
  x.push = a + 5 * x.n, x.dz = a + 6 * x.n, x.r = a + 7 * x.n, x.factor = a + 8 * x.n;
  for (int64_t i = 0; i < rows && st == LAR_OK; i++)
    st = filter_row(&x, (double *)lar_tensor_data(&t) + i * x.n);
  if (st == LAR_OK) st = lar_copy(w, &t);
done:
  lar_free(room);
  lar_tensor_clear(&t);
  return st;
}

static lar_status at_max(const lar_pen_at *at, const lar_tensor *g, double *out) {
  return lar_differences_max(g, (int)((const trend *)at->self)->order, out);
}

LAR_ENTRY(penalty, trend_filter) = {
  .name = "trend_filter",
  .doc = "differences of higher order along the last dimension: pieces that are polynomials",
  .source = "Kim et al. 2009, SIAM Rev. 51(2), sec. 6; Tibshirani 2014, Ann. Statist. 42(1)",
  .formula = "lambda |D^(order + 1) w|_1",
  .params = schema,
  .size = sizeof(trend),
  .traits = LAR_CONVEX | LAR_EUCLIDEAN | LAR_FALLIBLE | LAR_NORM,
  .value = value,
  .grad = grad,
  .prox = prox,
  .at_max = at_max,
};
