#include "optim/pass.h"

#include "core/real.h"

double LAR_R(lar_squares)(int64_t n, const void *x) {
  const real *v = x;
  double sum = 0;
  _Pragma("omp simd reduction(+ : sum)") for (int64_t i = 0; i < n; i++) sum +=
    (double)v[i] * (double)v[i];
  return sum;
}

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
