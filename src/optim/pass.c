#include "optim/pass.h"

#include <math.h>
#include <stdbool.h>

#include "core/real.h"

enum { LANES = 32 };

/* In lanes of their own: an addition need not wait for the last. */
static double squares(int64_t n, const real *v) {
  const int64_t whole = n / LANES * LANES;
  double sum = 0;
  for (int64_t i = whole; i < n; i++) sum += (double)v[i] * (double)v[i];
  if (whole == 0) return sum;
  double lane[LANES] = {0};
  for (int64_t i = 0; i < whole; i += LANES)
    _Pragma("omp simd") for (int k = 0; k < LANES; k++) lane[k] +=
      (double)v[i + k] * (double)v[i + k];
#pragma GCC unroll 8
  for (int half = LANES / 2; half > 0; half /= 2)
    for (int k = 0; k < half; k++) lane[k] += lane[k + half];
  return sum + lane[0];
}

#ifdef LAR_REAL_F32
enum { FOUR = 4 * LANES };

/* Four at a time in float, and only their sum in double, which costs half. A power of two keeps
 * what is usual in gradients from becoming denormal. With y the sums with some times y go out
 * as well: constants where it is called. */
static inline __attribute__((always_inline)) double fours(const bool joins, int64_t n,
                                                          const float *x, float times,
                                                          const float *y, float *restrict out) {
  const float up = 0x1p40f;
  double lane[LANES] = {0};
  for (int64_t i = 0; i < n; i += FOUR) _Pragma("omp simd") for (int k = 0; k < LANES; k++) {
      const int64_t j = i + k;
      float a = x[j], b = x[j + LANES], c = x[j + 2 * LANES], d = x[j + 3 * LANES];
      if (joins) {
        out[j] = a + times * y[j];
        out[j + LANES] = b + times * y[j + LANES];
        out[j + 2 * LANES] = c + times * y[j + 2 * LANES];
        out[j + 3 * LANES] = d + times * y[j + 3 * LANES];
      }
      a *= up, b *= up, c *= up, d *= up;
      lane[k] += (double)((a * a + b * b) + (c * c + d * d));
    }
#pragma GCC unroll 8
  for (int half = LANES / 2; half > 0; half /= 2)
    for (int k = 0; k < half; k++) lane[k] += lane[k + half];
  return lane[0];
}

/* The sum of all, where that of n - n % FOUR is not far from usual; else it is added up as
 * above. */
static double with_rest(double sum, int64_t n, const float *x) {
  const int64_t whole = n / FOUR * FOUR;
  bool usual = sum > 0x1p-60 && sum < HUGE_VAL;
  return usual ? sum * 0x1p-80 + squares(n - whole, x + whole) : squares(n, x);
}

double lar_squares_f32(int64_t n, const void *x) {
  return n < FOUR ? squares(n, x)
                  : with_rest(fours(false, n / FOUR * FOUR, x, 0, NULL, NULL), n, x);
}

double lar_squares_join_f32(int64_t n, const void *xv, double times, const void *yv,
                            void *outv) {
  const float *x = xv, *y = yv, l = (float)times;
  float *out = outv;
  const int64_t whole = n / FOUR * FOUR;
  double sum = fours(true, whole, x, l, y, out);
  for (int64_t i = whole; i < n; i++) out[i] = x[i] + l * y[i];
  return with_rest(sum, n, x);
}
#else
double lar_squares_f64(int64_t n, const void *x) { return squares(n, x); }

double lar_squares_join_f64(int64_t n, const void *xv, double times, const void *yv,
                            void *outv) {
  const double *x = xv, *y = yv;
  double *restrict out = outv;
  for (int64_t i = 0; i < n; i++) out[i] = x[i] + times * y[i];
  return squares(n, x);
}
#endif

/* NaN stays. */
void LAR_R(lar_clip)(int64_t n, void *x, double scale, double bound) {
  real *v = x;
  const real s = (real)scale, b = (real)bound;
  _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) {
    real y = v[i] * s;
    y = y > b ? b : y;
    v[i] = y < -b ? -b : y;
  }
}

void LAR_R(lar_lerp)(int64_t n, void *x, const void *y, double share) {
  real *a = x;
  const real *b = y, s = (real)share;
  _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) a[i] += s * (b[i] - a[i]);
}

double LAR_R(lar_inverse_squares)(int64_t n, const void *x) {
  const real *v = x;
  double sum = 0;
  _Pragma("omp simd reduction(+ : sum)") for (int64_t i = 0; i < n; i++) sum +=
    1 / ((double)v[i] * (double)v[i]);
  return sum;
}

void LAR_R(lar_even)(int64_t n, void *w, const void *old, const void *metric, double scale) {
  real *to = w;
  const real *was = old, *m = metric, s = (real)scale;
  _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) to[i] =
    was[i] + (to[i] - was[i]) * (s / m[i]);
}

void LAR_R(lar_join)(int64_t n, void *x, const void *y, double share) {
  real *a = x;
  const real *b = y, s = (real)share;
  _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) a[i] += s * b[i];
}

double LAR_R(lar_distance)(int64_t n, const void *x, const void *y) {
  const real *a = x, *b = y;
  double sum = 0;
  _Pragma("omp simd reduction(+ : sum)") for (int64_t i = 0; i < n; i++) sum +=
    ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
  return sum;
}

void LAR_R(lar_widen)(int64_t n, const void *x, double *to) {
  const real *v = x;
  for (int64_t i = 0; i < n; i++) to[i] = (double)v[i];
}

void LAR_R(lar_narrow)(int64_t n, const double *from, void *x) {
  real *v = x;
  for (int64_t i = 0; i < n; i++) v[i] = (real)from[i];
}

void LAR_R(lar_widen_join)(int64_t n, double share, const void *x, double *to) {
  const real *v = x;
  _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) to[i] += share * (double)v[i];
}
