#include "kern/fold.h"

#include <math.h>
#include <string.h>

#include "core/number.h"
#include "kern/wide.h"

#ifdef LAR_REAL_I64
typedef uint64_t acc; /* wraps around, as Lua's integers do */
#else
typedef double acc;
#endif

enum { LANES = 16, BLOCK = 512, LONG = 4096 };

static acc row_sum(const real *x, int64_t n) {
  acc lane[LANES] = {0}, total = 0;
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int k = 0; k < LANES; k++) lane[k] += (acc)x[i + k];
  for (; i < n; i++) total += (acc)x[i];
  for (int k = 0; k < LANES; k++) total += lane[k];
  return total;
}

static acc row_prod(const real *x, int64_t n) {
  acc lane[LANES], total = 1;
  int64_t i = 0;
  for (int k = 0; k < LANES; k++) lane[k] = 1;
  for (; i + LANES <= n; i += LANES)
    for (int k = 0; k < LANES; k++) lane[k] *= (acc)x[i + k];
  for (; i < n; i++) total *= (acc)x[i];
  for (int k = 0; k < LANES; k++) total *= lane[k];
  return total;
}

#ifdef LAR_REAL_I64
static acc long_prod(const real *x, int64_t n) { return row_prod(x, n); }
#else
/* Very small and very large lanes put a power of two aside, which is exact: small ones would
 * soon be denormal, and multiplying those is slow. */
static void rescale(acc *lane, double *power) {
  const double far = 0x1p500;
  for (int k = 0; k < LANES; k++) {
    double size = fabs(lane[k]), turn = size < 1 / far ? 1 : size > far ? -1 : 0;
    lane[k] *= turn > 0 ? far : turn < 0 ? 1 / far : 1;
    power[k] -= 500 * turn;
  }
}

static acc long_prod(const real *x, int64_t n) {
  enum { STEP = 16 * LANES, LIMIT = 4000 };
  acc lane[LANES], total;
  double power[LANES] = {0}, sum = 0;
  int64_t i = 0;
  int e;
  for (int k = 0; k < LANES; k++) lane[k] = 1;
  for (; i + STEP <= n; i += STEP) {
    for (int64_t at = i; at < i + STEP; at += LANES)
      for (int k = 0; k < LANES; k++) lane[k] *= (acc)x[at + k];
    rescale(lane, power);
  }
  total = frexp(row_prod(x + i, n - i), &e);
  sum = e;
  for (int k = 0; k < LANES; k++) {
    total *= frexp(lane[k], &e);
    sum += e + power[k];
  }
  return ldexp(total, (int)fmax(-LIMIT, fmin(sum, LIMIT)));
}
#endif

static int64_t row_count(const real *x, int64_t n) {
  int64_t total = 0;
  for (int64_t i = 0; i < n; i++) total += x[i] != 0;
  return total;
}

static void rows(lar_fold fold, void *out, const real *x, int64_t outer, int64_t n, bool wide) {
  for (int64_t o = 0; o < outer; o++, x += n) {
    if (fold == LAR_FOLD_COUNT) {
      ((int64_t *)out)[o] = row_count(x, n);
      continue;
    }
    acc total = fold == LAR_FOLD_SUM ? row_sum(x, n)
                : n < LONG           ? row_prod(x, n)
                                     : long_prod(x, n);
    if (wide)
      ((acc *)out)[o] = total;
    else
      ((real *)out)[o] = (real)total;
  }
}

#ifdef LAR_REAL_I64
static int64_t sum_panels(acc *a, const real *x, int64_t n, int64_t stride, int64_t m) {
  return 0;
}
#else
enum { PARTS = 4, PANEL = PARTS * LAR_WIDE_N, STRIP = 32 };

/* PANEL columns, whose sums stay in registers, from 0 or from where they are. */
static void sum_panel(acc *a, bool more, const real *x, int64_t n, int64_t stride) {
  lar_wide sum[PARTS] = {{0}};
  if (more) memcpy(sum, a, sizeof sum);
  for (int64_t i = 0; i < n; i++, x += stride)
#pragma GCC unroll 4
    for (int k = 0; k < PARTS; k++) sum[k] += LAR_WIDE_LOAD(x + k * LAR_WIDE_N);
  memcpy(a, sum, sizeof sum);
}

/* Whole panels, some rows at a time that lie in the cache; how many columns they are. */
static int64_t sum_panels(acc *a, const real *x, int64_t n, int64_t stride, int64_t m) {
  const int64_t whole = m / PANEL * PANEL;
  for (int64_t i = 0; i < n; i += STRIP)
    for (int64_t k = 0; k < whole; k += PANEL)
      sum_panel(a + k, i > 0, x + i * stride + k, n - i < STRIP ? n - i : STRIP, stride);
  return whole;
}
#endif

/* The rest four rows at a time, in their order, so that sums go to memory less often. */
static void sum_columns(acc *a, const real *x, int64_t n, int64_t stride, int64_t m) {
  int64_t i = 0, done = sum_panels(a, x, n, stride, m);
  a += done, x += done, m -= done;
  if (m == 0) return;
  for (; i + 4 <= n; i += 4, x += 4 * stride)
    for (int64_t k = 0; k < m; k++)
      a[k] =
        a[k] + (acc)x[k] + (acc)x[k + stride] + (acc)x[k + 2 * stride] + (acc)x[k + 3 * stride];
  for (; i < n; i++, x += stride)
    for (int64_t k = 0; k < m; k++) a[k] += (acc)x[k];
}

/* Fold a block of `m` neighbouring columns. */
static void columns(lar_fold fold, acc *a, const real *x, int64_t n, int64_t stride,
                    int64_t m) {
  for (int64_t k = 0; k < m; k++) a[k] = fold == LAR_FOLD_PROD;
  if (fold == LAR_FOLD_SUM)
    sum_columns(a, x, n, stride, m);
  else if (fold == LAR_FOLD_PROD)
    for (int64_t i = 0; i < n; i++, x += stride)
      for (int64_t k = 0; k < m; k++) a[k] *= (acc)x[k];
  else
    for (int64_t i = 0; i < n; i++, x += stride)
      for (int64_t k = 0; k < m; k++) a[k] += x[k] != 0;
}

void LAR_R(lar_fold_columns)(lar_fold fold, void *out, const void *x, int64_t n, int64_t apart,
                             int64_t m) {
  acc a[BLOCK];
  for (int64_t at = 0; at < m; at += BLOCK) {
    int64_t some = m - at < BLOCK ? m - at : BLOCK;
    columns(fold, a, (const real *)x + at, n, apart, some);
    for (int64_t k = 0; k < some; k++)
      if (fold == LAR_FOLD_COUNT)
        ((int64_t *)out)[at + k] = (int64_t)a[k];
      else
        ((real *)out)[at + k] = (real)a[k];
  }
}

void LAR_R(lar_fold)(lar_fold fold, void *out, const void *xv, int64_t outer, int64_t n,
                     int64_t inner, bool wide) {
  size_t size = fold == LAR_FOLD_COUNT ? sizeof(int64_t) : sizeof(real);
  const real *x = xv;
  if (inner == 1) {
    rows(fold, out, x, outer, n, wide);
    return;
  }
  for (int64_t o = 0; o < outer; o++) LAR_R(lar_fold_columns)
  (fold, (char *)out + (size_t)(o * inner) * size, x + o * n * inner, n, inner, inner);
}
