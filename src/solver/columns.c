#include "solver/columns.h"

#include <stddef.h>

#include "core/real.h"

/* Sums run in lanes of their own, so that an addition need not wait for the last. */
enum { LANES = 32, FEW = 8 };

static double total(int n, const double *lane) {
  double sum = 0;
  for (int k = 0; k < n; k++) sum += lane[k];
  return sum;
}

static double dense_dot(int64_t n, const real *x, const double *v) {
  double lane[LANES] = {0}, rest = 0;
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int k = 0; k < LANES; k++) lane[k] += (double)x[i + k] * v[i + k];
  for (; i < n; i++) rest += (double)x[i] * v[i];
  return total(LANES, lane) + rest;
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

static void dots(int64_t n, int k, int64_t ld, const void *x, const double *v, double *out) {
  const real *a = x;
  if (k < 4) {
    for (int c = 0; c < k; c++) out[c] = dense_dot(n, a + c * ld, v);
    return;
  }
  const real *b = a + ld, *c = b + ld, *d = c + ld;
  double la[FEW] = {0}, lb[FEW] = {0}, lc[FEW] = {0}, le[FEW] = {0};
  int64_t i = 0;
  for (; i + FEW <= n; i += FEW)
    for (int l = 0; l < FEW; l++) {
      la[l] += (double)a[i + l] * v[i + l];
      lb[l] += (double)b[i + l] * v[i + l];
      lc[l] += (double)c[i + l] * v[i + l];
      le[l] += (double)d[i + l] * v[i + l];
    }
  for (; i < n; i++) {
    la[0] += (double)a[i] * v[i];
    lb[0] += (double)b[i] * v[i];
    lc[0] += (double)c[i] * v[i];
    le[0] += (double)d[i] * v[i];
  }
  out[0] = total(FEW, la);
  out[1] = total(FEW, lb);
  out[2] = total(FEW, lc);
  out[3] = total(FEW, le);
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

const lar_columns LAR_R(lar_columns) = {dot, dots, axpy, moments, pack};
