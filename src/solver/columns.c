#include "solver/columns.h"

#include <stddef.h>

#include "core/real.h"
#include "kern/wide.h"

/* Sums run in lanes of their own, so that an addition need not wait for the last. */
enum { FEW = 8, SUMS = 8 };

typedef double four_at __attribute__((vector_size(32), aligned(8), may_alias));

static double total(int n, const double *lane) {
  double sum = 0;
  for (int k = 0; k < n; k++) sum += lane[k];
  return sum;
}

/* v is read once for all k columns. */
static inline __attribute__((always_inline)) void
side_by_side(int64_t n, const int k, int64_t ld, const real *x, const double *v, double *out) {
  const int parts = SUMS / k;
  lar_four sum[SUMS] = {{0}};
  int64_t i = 0;
  for (; i + parts * LAR_FOUR <= n; i += parts * LAR_FOUR)
#pragma GCC unroll 8
    for (int part = 0; part < parts; part++) {
      const lar_four at = *(const four_at *)(v + i + part * LAR_FOUR);
#pragma GCC unroll 4
      for (int c = 0; c < k; c++)
        sum[part * k + c] += LAR_FOUR_LOAD(x + c * ld + i + part * LAR_FOUR) * at;
    }
  for (int c = 0; c < k; c++) {
    lar_four one = sum[c];
    for (int part = 1; part < parts; part++) one += sum[part * k + c];
    out[c] = (one[0] + one[1]) + (one[2] + one[3]);
  }
  for (; i < n; i++)
    for (int c = 0; c < k; c++) out[c] += (double)x[c * ld + i] * v[i];
}

static double dense_dot(int64_t n, const real *x, const double *v) {
  double out;
  side_by_side(n, 1, 0, x, v, &out);
  return out;
}

static void dots(int64_t n, int k, int64_t ld, const void *x, const double *v, double *out) {
  if (k == 4)
    side_by_side(n, 4, ld, x, v, out);
  else if (k == 3)
    side_by_side(n, 3, ld, x, v, out);
  else if (k == 2)
    side_by_side(n, 2, ld, x, v, out);
  else if (k == 1)
    side_by_side(n, 1, ld, x, v, out);
}

static double sparse_dot(int64_t n, const int32_t *index, const real *x, const double *v) {
  double a = 0, b = 0, c = 0, d = 0;
  int64_t i = 0;
  for (; i + 4 <= n; i += 4) {
    a += (double)x[i] * v[index[i]];
    b += (double)x[i + 1] * v[index[i + 1]];
    c += (double)x[i + 2] * v[index[i + 2]];
    d += (double)x[i + 3] * v[index[i + 3]];
  }
  for (; i < n; i++) a += (double)x[i] * v[index[i]];
  return (a + b) + (c + d);
}

static double dot(int64_t n, const int32_t *index, const void *x, const double *v) {
  return index == NULL ? dense_dot(n, x, v) : sparse_dot(n, index, x, v);
}

static void axpy(int64_t n, const int32_t *index, const void *x, double a, const double *w,
                 double *v) {
  const real *c = x;
  if (index == NULL && w == NULL)
    for (int64_t i = 0; i < n; i++) v[i] += a * (double)c[i];
  else if (index == NULL)
    for (int64_t i = 0; i < n; i++) v[i] += a * w[i] * (double)c[i];
  else if (w == NULL) /* no row twice */
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++) v[index[i]] += a * (double)c[i];
  else
#pragma GCC ivdep
    for (int64_t i = 0; i < n; i++) v[index[i]] += a * w[index[i]] * (double)c[i];
}

static void axpys(int64_t n, int k, int64_t ld, const void *x, const double *a, const double *w,
                  double *v) {
  const real *c0 = x;
  if (k < 4) {
    for (int c = 0; c < k; c++) axpy(n, NULL, c0 + c * ld, a[c], w, v);
    return;
  }
  const real *c1 = c0 + ld, *c2 = c1 + ld, *c3 = c2 + ld;
  const double a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3];
  if (w == NULL)
    for (int64_t i = 0; i < n; i++)
      v[i] += a0 * (double)c0[i] + a1 * (double)c1[i] + a2 * (double)c2[i] + a3 * (double)c3[i];
  else
    for (int64_t i = 0; i < n; i++)
      v[i] += w[i] * (a0 * (double)c0[i] + a1 * (double)c1[i] + a2 * (double)c2[i] +
                      a3 * (double)c3[i]);
}

static void moments(int64_t n, const int32_t *index, const void *x, const double *w,
                    double *first, double *second) {
  const real *c = x;
  double one[FEW] = {0}, two[FEW] = {0};
  int64_t i = 0;
  for (; index == NULL && i + FEW <= n; i += FEW)
    for (int k = 0; k < FEW; k++) {
      double a = (double)c[i + k], wa = w != NULL ? w[i + k] * a : a;
      one[k] += wa;
      two[k] += wa * a;
    }
  for (; i < n; i++) {
    double a = (double)c[i], wa = w == NULL ? a : w[index != NULL ? index[i] : i] * a;
    one[i % FEW] += wa;
    two[i % FEW] += wa * a;
  }
  *first = total(FEW, one);
  *second = total(FEW, two);
}

static void pack(int64_t n, const void *x, double mean, double scale, const double *root,
                 double *out) {
  const real *c = x;
  if (root == NULL)
    for (int64_t i = 0; i < n; i++) out[i] = ((double)c[i] - mean) * scale;
  else
    for (int64_t i = 0; i < n; i++) out[i] = ((double)c[i] - mean) * scale * root[i];
}

const lar_columns LAR_R(lar_columns) = {dot, dots, axpy, axpys, moments, pack};
