/*
 * penalty/towards - the streaming loops of l/2 sum_j F_j (w_j - c_j)^2, c = at->towards and
 * F = at->fisher, or 1.
 *
 * Include after core/real.h; LAR_TOWARDS_LOOPS(name), and LAR_TOWARDS_SLOTS(name) in the entry.
 */
#ifndef LAR_PENALTY_TOWARDS_H
#define LAR_PENALTY_TOWARDS_H

#include "core/real.h"
#include "penalty/penalty.h"

static double value_rows(const lar_pen_at *at, const void *x, int64_t begin, int64_t end) {
  const real *w = x;
  const double *c = at->towards, *f = at->fisher;
  double sum = 0;
  if (f == NULL) _Pragma("omp simd reduction(+ : sum)") for (int64_t i = begin; i < end; i++) {
      double d = (double)w[i] - c[i];
      sum += d * d;
    }
  else
    _Pragma("omp simd reduction(+ : sum)") for (int64_t i = begin; i < end; i++) {
      double d = (double)w[i] - c[i];
      sum += f[i] * d * d;
    }
  return at->l / 2 * sum;
}

static void grad_rows(const lar_pen_at *at, const void *x, void *y, int64_t begin,
                      int64_t end) {
  const real *w = x;
  real *g = y;
  const double *c = at->towards, *f = at->fisher, l = at->l;
  _Pragma("GCC ivdep") for (int64_t i = begin; i < end; i++) g[i] +=
    (real)(l * (f != NULL ? f[i] : 1) * ((double)w[i] - c[i]));
}

static void prox_rows(const lar_pen_at *at, void *x, double step, const void *metric,
                      int64_t begin, int64_t end) {
  real *w = x;
  const real *m = metric;
  const double *c = at->towards, *f = at->fisher, l = at->l;
  _Pragma("GCC ivdep") for (int64_t i = begin; i < end; i++) {
    double t = step * (m != NULL ? (double)m[i] : 1) * l * (f != NULL ? f[i] : 1);
    w[i] = (real)(((double)w[i] + t * c[i]) / (1 + t));
  }
}

#define LAR_TOWARDS_LOOPS(name)                                         \
  extern const lar_pen_rows lar_pen_##name##_f32, lar_pen_##name##_f64; \
  const lar_pen_rows LAR_PASTE(lar_pen_##name, LAR_SUFFIX) = {value_rows, grad_rows, prox_rows};
#define LAR_TOWARDS_SLOTS(name) .rows = {&lar_pen_##name##_f32, &lar_pen_##name##_f64}

#endif
