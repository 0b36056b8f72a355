#include "penalty/spectrum.h"

#include "core/par.h"
#include "kern/copy.h"
#include "kern/gemm.h"
#include "kern/lapack.h"

/* a = u diag(s) v' in float64; turned: u and v belong to a'. */
typedef struct svd {
  lar_tensor a, u, s, v;
  int64_t k;
} svd;

static void clear(svd *x) {
  lar_tensor_clear(&x->a);
  lar_tensor_clear(&x->u);
  lar_tensor_clear(&x->s);
  lar_tensor_clear(&x->v);
}

/* BLAS adds in another order with more threads; one gives the same bits everywhere. */
static lar_status alone(svd *x, lar_status (*run)(svd *x)) {
  int threads = lar_par_threads();
  lar_par_set_threads(1);
  lar_status st = run(x);
  lar_par_set_threads(threads);
  return st;
}

static lar_status factor(svd *x) { return lar_lapack_svd(&x->u, &x->s, &x->v, &x->a); }

static lar_status decompose(svd *x, const lar_tensor *w) {
  int64_t n = lar_tensor_numel(w), rows = w->ndim > 1 ? w->shape[0] : 1;
  int64_t shape[2] = {rows, rows > 0 ? n / rows : 0};
  lar_tensor flat = {0};
  *x = (svd){.k = shape[0] < shape[1] ? shape[0] : shape[1]};
  lar_status st = lar_contiguous(&flat, w, LAR_F64);
  if (st == LAR_OK) st = lar_tensor_view(&x->a, &flat, 2, shape);
  lar_tensor_clear(&flat);
  LAR_TRY(st);
  LAR_TRY(lar_tensor_init(&x->u, LAR_F64, 2, (int64_t[]){shape[0], x->k}));
  LAR_TRY(lar_tensor_init(&x->s, LAR_F64, 1, &x->k));
  LAR_TRY(lar_tensor_init(&x->v, LAR_F64, 2, (int64_t[]){shape[1], x->k}));
  return alone(x, factor);
}

static bool has_nan(const lar_tensor *w) {
  double sum = 0;
  for (int64_t i = 0, n = lar_tensor_numel(w); i < n; i++) sum += lar_tensor_get(w, i) * 0;
  return sum != 0;
}

lar_status lar_spectrum_value(const lar_pen_at *at, const lar_tensor *w, lar_spectrum_fn *phi,
                              double *out) {
  svd x;
  *out = 0;
  if (lar_tensor_numel(w) == 0) return LAR_OK;
  if (has_nan(w)) {
    *out = (double)NAN;
    return LAR_OK;
  }
  lar_status st = decompose(&x, w);
  for (int64_t k = 0; st == LAR_OK && k < x.k; k++)
    *out += phi(at->self, at->l, lar_tensor_get(&x.s, k), 0);
  clear(&x);
  return st;
}

/* a = u diag(s) v' with what is now in s; singular values of 0 cost nothing. */
static lar_status compose(svd *x) {
  int64_t kept = 0;
  double *u = lar_tensor_data(&x->u), *v = lar_tensor_data(&x->v), *s = lar_tensor_data(&x->s);
  for (int64_t k = 0; k < x->k; k++) {
    if (s[k] == 0) continue;
    for (int64_t i = 0; i < x->u.shape[0]; i++) u[i * x->k + kept] = u[i * x->k + k] * s[k];
    for (int64_t i = 0; i < x->v.shape[0]; i++) v[i * x->k + kept] = v[i * x->k + k];
    kept++;
  }
  if (kept == 0) {
    lar_fill(&x->a, 0);
    return LAR_OK;
  }
  lar_tensor left = x->u, right = x->v; /* views: not to be cleared */
  left.shape[1] = kept;
  right.shape[0] = kept, right.shape[1] = x->v.shape[0];
  right.stride[0] = 1, right.stride[1] = x->k;
  return lar_gemm(&x->a, &left, &right, 1, 0);
}

/* What is done to singular values: all but the first `keep` go, if that is above 0. A gradient
 * has step 0, and is 0 at 0. */
typedef struct change {
  lar_spectrum_fn *fn;
  double step;
  int64_t keep;
} change;

static double changed(const change *c, const lar_pen_at *at, int64_t k, double s) {
  if (c->keep > 0) return k < c->keep ? s : 0;
  return s > 0 || c->step > 0 ? c->fn(at->self, at->l, s, c->step) : 0;
}

/* New singular values, the matrix made of them in x->a. */
static lar_status remake(svd *x, const lar_pen_at *at, const lar_tensor *w, const change *c) {
  LAR_TRY(decompose(x, w));
  lar_tensor_clear(&x->a);
  LAR_TRY(lar_tensor_init(&x->a, LAR_F64, 2, (int64_t[]){x->u.shape[0], x->v.shape[0]}));
  double *s = lar_tensor_data(&x->s);
  for (int64_t k = 0; k < x->k; k++) s[k] = changed(c, at, k, s[k]);
  return alone(x, compose);
}

lar_status lar_spectrum_grad(const lar_pen_at *at, const lar_tensor *w, lar_spectrum_fn *slope,
                             const lar_tensor *g) {
  svd x;
  if (lar_tensor_numel(w) == 0) return LAR_OK;
  lar_status st = remake(&x, at, w, &(change){.fn = slope});
  for (int64_t i = 0, n = lar_tensor_numel(g); st == LAR_OK && i < n; i++)
    lar_tensor_put(g, i, lar_tensor_get(g, i) + lar_tensor_get(&x.a, i));
  clear(&x);
  return st;
}

static lar_status rewrite(const lar_pen_at *at, const lar_tensor *w, const change *c) {
  svd x;
  lar_tensor flat = {0};
  if (lar_tensor_numel(w) == 0) return LAR_OK;
  if (has_nan(w)) {
    lar_fill(w, (double)NAN);
    return LAR_OK;
  }
  lar_status st = remake(&x, at, w, c);
  if (st == LAR_OK) st = lar_tensor_view(&flat, &x.a, w->ndim, w->shape);
  if (st == LAR_OK) st = lar_copy(w, &flat);
  lar_tensor_clear(&flat);
  clear(&x);
  return st;
}

lar_status lar_spectrum_prox(const lar_pen_at *at, const lar_tensor *w, lar_spectrum_fn *shrink,
                             double step) {
  return rewrite(at, w, &(change){.fn = shrink, .step = step});
}

lar_status lar_spectrum_truncate(const lar_pen_at *at, const lar_tensor *w, int64_t r) {
  return rewrite(at, w, &(change){.keep = r});
}

lar_status lar_spectrum_beyond(const lar_tensor *w, int64_t r, double *out) {
  svd x;
  double all = 0;
  *out = 0;
  if (lar_tensor_numel(w) == 0) return LAR_OK;
  if (has_nan(w)) {
    *out = (double)NAN;
    return LAR_OK;
  }
  lar_status st = decompose(&x, w);
  for (int64_t k = 0; st == LAR_OK && k < x.k; k++) {
    double s = lar_tensor_get(&x.s, k);
    all += s * s;
    if (k == r) *out = s;
  }
  if (all > 0) *out /= sqrt(all);
  clear(&x);
  return st;
}

lar_status lar_spectrum_max(const lar_pen_at *at, const lar_tensor *g, double *out) {
  svd x;
  *out = 0;
  if (lar_tensor_numel(g) == 0) return LAR_OK;
  lar_status st = decompose(&x, g);
  if (st == LAR_OK) *out = lar_tensor_get(&x.s, 0);
  clear(&x);
  return st;
}
