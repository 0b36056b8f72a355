#include <string.h>

#include "kern/copy.h"
#include "kern/gemm.h"
#include "kern/lapack.h"
#include "penalty/matrix.h"

/* The largest singular value by power iteration on W^T W from a fixed start; where two are so
 * close that this does not settle in ROUNDS, by a singular value decomposition. */
enum { ROUNDS = 300 };

typedef struct none {
  char unused;
} none;

typedef struct top {
  lar_tensor a, turned, u, v; /* u = W v, not normalised; |v| = 1 */
} top;

static void top_clear(top *t) {
  lar_tensor_clear(&t->u);
  lar_tensor_clear(&t->v);
}

static double norm(const lar_tensor *v) {
  double sum = 0;
  for (int64_t i = 0, n = lar_tensor_numel(v); i < n; i++) {
    double x = lar_tensor_get(v, i);
    sum += x * x;
  }
  return sqrt(sum);
}

/* v / |v|, and how far that is from `former`, which it replaces. */
static double settle(const lar_tensor *v, const lar_tensor *former) {
  double length = norm(v), gap = 0;
  if (length == 0) return 0;
  for (int64_t i = 0, n = lar_tensor_numel(v); i < n; i++) {
    double x = lar_tensor_get(v, i) / length, d = x - lar_tensor_get(former, i);
    gap += d * d;
    lar_tensor_put(former, i, x);
  }
  return sqrt(gap);
}

static lar_status iterate(top *t, const lar_tensor *next, bool *settled) {
  double fine = t->a.dtype == LAR_F32 ? 1e-6 : 1e-13;
  *settled = false;
  for (int64_t i = 0, n = t->v.shape[0]; i < n; i++)
    lar_tensor_put(next, i, 1 + 0.5 * cos(1.7 * (double)i));
  (void)settle(next, &t->v);
  for (int k = 0; k < ROUNDS && !*settled; k++) {
    LAR_TRY(lar_gemm(&t->u, &t->a, &t->v, 1, 0));
    LAR_TRY(lar_gemm(next, &t->turned, &t->u, 1, 0));
    *settled = settle(next, &t->v) < fine;
  }
  return lar_gemm(&t->u, &t->a, &t->v, 1, 0);
}

static lar_status decompose(top *t) {
  int64_t m = t->a.shape[0], n = t->a.shape[1], k = m < n ? m : n;
  lar_tensor u = {0}, s = {0}, v = {0};
  lar_status st = lar_tensor_init(&u, t->a.dtype, 2, (int64_t[]){m, k});
  if (st == LAR_OK) st = lar_tensor_init(&s, t->a.dtype, 1, &k);
  if (st == LAR_OK) st = lar_tensor_init(&v, t->a.dtype, 2, (int64_t[]){n, k});
  if (st == LAR_OK) st = lar_lapack_svd(&u, &s, &v, &t->a);
  for (int64_t i = 0; st == LAR_OK && i < n; i++)
    lar_tensor_put(&t->v, i, lar_tensor_get(&v, i * v.stride[0]));
  if (st == LAR_OK) st = lar_gemm(&t->u, &t->a, &t->v, 1, 0);
  lar_tensor_clear(&u);
  lar_tensor_clear(&s);
  lar_tensor_clear(&v);
  return st;
}

static lar_status find(top *t, const lar_tensor *w) {
  bool settled = true;
  lar_tensor next = {0};
  *t = (top){.a = lar_matrix_of(w)};
  t->turned = lar_matrix_turned(&t->a);
  int64_t m = t->a.shape[0], n = t->a.shape[1];
  lar_status st = lar_tensor_init(&t->u, w->dtype, 2, (int64_t[]){m, 1});
  if (st == LAR_OK) st = lar_tensor_zeros(&t->v, w->dtype, 2, (int64_t[]){n, 1});
  if (st == LAR_OK) st = lar_tensor_init(&next, w->dtype, 2, (int64_t[]){n, 1});
  if (st == LAR_OK) st = iterate(t, &next, &settled);
  bool finite = st == LAR_OK && isfinite(norm(&t->u));
  if (finite && !settled) st = decompose(t);
  lar_tensor_clear(&next);
  if (st != LAR_OK) top_clear(t);
  return st;
}

static lar_status value(const lar_pen_at *at, const lar_tensor *w, double *out) {
  top t;
  *out = 0;
  if (lar_tensor_numel(w) == 0) return LAR_OK;
  LAR_TRY(find(&t, w));
  double s = norm(&t.u);
  top_clear(&t);
  *out = at->l / 2 * s * s;
  return LAR_OK;
}

/* l sigma u v^T = l (W v) v^T */
static lar_status grad(const lar_pen_at *at, const lar_tensor *w, const lar_tensor *to) {
  top t;
  lar_tensor sum = lar_matrix_of(to);
  if (lar_tensor_numel(w) == 0) return LAR_OK;
  LAR_TRY(find(&t, w));
  lar_tensor v = lar_matrix_turned(&t.v);
  lar_status st = lar_gemm(&sum, &t.u, &v, at->l, 1);
  top_clear(&t);
  return st;
}

LAR_ENTRY(penalty, spectral) = {
  .name = "spectral",
  .doc = "half the square of the largest singular value: a layer that stretches little",
  .source = "Yoshida & Miyato 2017, arXiv:1705.10941",
  .formula = "lambda/2 sigma_max(W)^2",
  .size = sizeof(none),
  .traits = LAR_CONVEX | LAR_SMOOTH,
  .value = value,
  .grad = grad,
};
