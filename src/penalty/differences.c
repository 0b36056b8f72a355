#include "penalty/differences.h"

#include <math.h>

#include "core/mem.h"
#include "kern/copy.h"

static int64_t length(const lar_tensor *w) { return w->ndim > 0 ? w->shape[w->ndim - 1] : 1; }

/* v -= the multiple of q (of norm 1) in it */
static void remove_part(const double *q, double *v, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += q[i] * v[i];
  for (int64_t i = 0; i < n; i++) v[i] -= sum * q[i];
}

static void normalise(double *q, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += q[i] * q[i];
  for (int64_t i = 0; i < n; i++) q[i] /= sqrt(sum);
}

/* Orthonormal polynomials of degrees 0..k on n > k points, one row each. Twice against all
 * before them is enough for orthogonality to rounding. */
static void polynomials(double *q, int64_t n, int k) {
  for (int64_t i = 0; i < n; i++) q[i] = 1;
  normalise(q, n);
  for (int d = 1; d <= k; d++) {
    double *to = q + d * n;
    for (int64_t i = 0; i < n; i++) to[i] = to[i - n] * ((double)(2 * i) / (double)(n - 1) - 1);
    for (int twice = 0; twice < 2; twice++)
      for (int e = 0; e < d; e++) remove_part(q + e * n, to, n);
    normalise(to, n);
  }
}

lar_status lar_differences_centre(const lar_tensor *w, int k) {
  int64_t n = length(w), numel = lar_tensor_numel(w);
  double *v = lar_tensor_data(w);
  void *q;
  if (n <= k + 1) {
    lar_fill(w, 0);
    return LAR_OK;
  }
  LAR_TRY(lar_alloc_raw(&q, (size_t)n * (size_t)(k + 1), sizeof(double)));
  polynomials(q, n, k);
  for (int64_t at = 0; at < numel; at += n)
    for (int twice = 0; twice < 2; twice++)
      for (int d = 0; d <= k; d++) remove_part((double *)q + d * n, v + at, n);
  lar_free(q);
  return LAR_OK;
}

/* D is k + 1 differences one after the other, so that z is as many running sums of g. */
static double row_max(double *v, int64_t n, int k) {
  double most = 0;
  for (int d = 0; d <= k; d++)
    for (int64_t i = 1; i < n - d; i++) v[i] += v[i - 1];
  for (int64_t i = 0; i < n - k - 1; i++) most = fabs(v[i]) > most ? fabs(v[i]) : most;
  return most;
}

lar_status lar_differences_max(const lar_tensor *g, int k, double *out) {
  lar_tensor t = {0};
  LAR_TRY(lar_clone(&t, g, LAR_F64));
  lar_status st = lar_differences_centre(&t, k);
  double *v = lar_tensor_data(&t);
  int64_t n = length(g), numel = lar_tensor_numel(g);
  *out = 0;
  for (int64_t at = 0; st == LAR_OK && at < numel; at += n)
    *out = fmax(*out, row_max(v + at, n, k));
  lar_tensor_clear(&t);
  return st;
}
