/*
 * penalty/separable - the streaming loops and scalar slots of a separable penalty.
 *
 * Include after core/real.h. A file that has a parameter struct `type` and
 *   static inline double value(const type *p, double l, double w)
 *   static inline real slope(const type *p, real l, real w)          0 at a kink
 *   static inline real shrink(const type *p, real l, real v, real t) the prox with step t
 *   static inline double distance(const type *p, double l, double w, double g)
 * says LAR_SEPARABLE_LOOPS(name, type), and LAR_SEPARABLE_SLOTS(name) in its entry. A weight
 * scales l for its coordinate; an infinite one holds the coordinate at exactly 0. Fields of
 * the struct are double: convert to real before mixing. A file whose value has many terms may
 * say LAR_VALUE real before this, and write it in real; it is added up in double all the same.
 */
#ifndef LAR_PENALTY_SEPARABLE_H
#define LAR_PENALTY_SEPARABLE_H

#include <tgmath.h>

#include "core/real.h"
#include "penalty/penalty.h"

#ifndef LAR_VALUE
#define LAR_VALUE double
#endif

enum { LAR_LANES = 32 };

#define LAR_EACH(i) _Pragma("GCC ivdep") for (int64_t i = begin; i < end; i++)
#define LAR_EACH_SUM(i) \
  _Pragma("omp simd reduction(+ : sum)") for (int64_t i = begin; i < end; i++)

/* lar_soft in this file's dtype. */
static inline real lar_soft_real(real v, real t) {
  real a = fabs(v);
  return a <= t ? (real)0 : copysign(a - t, v);
}

static inline const double *lar_pen_weight(const lar_pen_at *at) {
  return at->weight != NULL ? lar_tensor_data(at->weight) : NULL;
}

#define LAR_PEN_HEAD(name)                                                                    \
  extern const lar_pen_rows lar_pen_##name##_f32, lar_pen_##name##_f64;                       \
  static double value_rows(const lar_pen_at *at, const void *x, int64_t begin, int64_t end);  \
  static void grad_rows(const lar_pen_at *at, const void *x, void *y, int64_t b, int64_t e);  \
  static void prox_rows(const lar_pen_at *at, void *x, double step, const void *m, int64_t b, \
                        int64_t e);                                                           \
  const lar_pen_rows LAR_PASTE(lar_pen_##name, LAR_SUFFIX) = {value_rows, grad_rows, prox_rows};

#define LAR_PEN_VALUE_AS(rows, type, value)                                                    \
  static double rows(const lar_pen_at *at, const void *x, int64_t begin, int64_t end) {        \
    const type p = *(const type *)at->self;                                                    \
    const real *w = x;                                                                         \
    const double *wt = lar_pen_weight(at), l = at->l;                                          \
    double sum = 0;                                                                            \
    if (wt == NULL) { /* sums in LANES of their own: an addition need not wait for the last */ \
      double lane[LAR_LANES] = {0};                                                            \
      int64_t i = begin;                                                                       \
      for (; i + LAR_LANES <= end; i += LAR_LANES)                                             \
        _Pragma("omp simd") for (int k = 0; k < LAR_LANES; k++) lane[k] +=                     \
          (double)value(&p, (LAR_VALUE)l, (LAR_VALUE)w[i + k]);                                \
      for (; i < end; i++) sum += (double)value(&p, (LAR_VALUE)l, (LAR_VALUE)w[i]);            \
      for (int k = 0; k < LAR_LANES; k++) sum += lane[k];                                      \
      return sum;                                                                              \
    }                                                                                          \
    LAR_EACH_SUM(i)                                                                            \
    sum += wt[i] < HUGE_VAL ? (double)value(&p, (LAR_VALUE)(l * wt[i]), (LAR_VALUE)w[i])       \
           : w[i] == 0      ? 0                                                                \
                            : HUGE_VAL;                                                             \
    return sum;                                                                                \
  }

#define LAR_PEN_GRAD_AS(rows, type, slope)                                                     \
  static void rows(const lar_pen_at *at, const void *x, void *y, int64_t begin, int64_t end) { \
    const type p = *(const type *)at->self;                                                    \
    const real *w = x;                                                                         \
    real *g = y;                                                                               \
    const double *wt = lar_pen_weight(at), l = at->l;                                          \
    const real lr = (real)l;                                                                   \
    if (wt == NULL)                                                                            \
      LAR_EACH(i) g[i] += slope(&p, lr, w[i]);                                                 \
    else                                                                                       \
      LAR_EACH(i) g[i] += wt[i] < HUGE_VAL ? slope(&p, (real)(l * wt[i]), w[i]) : (real)0;     \
  }

#define LAR_PEN_PROX_AS(rows, type, shrink)                                        \
  static void rows(const lar_pen_at *at, void *x, double step, const void *metric, \
                   int64_t begin, int64_t end) {                                   \
    const type p = *(const type *)at->self;                                        \
    real *w = x;                                                                   \
    const real *m = metric, t = (real)step, lr = (real)at->l;                      \
    const double *wt = lar_pen_weight(at), l = at->l;                              \
    if (wt == NULL && m == NULL)                                                   \
      LAR_EACH(i) w[i] = shrink(&p, lr, w[i], t);                                  \
    else if (wt == NULL)                                                           \
      LAR_EACH(i) w[i] = shrink(&p, lr, w[i], t * m[i]);                           \
    else if (m == NULL)                                                            \
      LAR_EACH(i)                                                                  \
    w[i] = wt[i] < HUGE_VAL ? shrink(&p, (real)(l * wt[i]), w[i], t) : (real)0;    \
    else LAR_EACH(i) w[i] =                                                        \
      wt[i] < HUGE_VAL ? shrink(&p, (real)(l * wt[i]), w[i], t * m[i]) : (real)0;  \
  }

/* With other names, for an entry that chooses between formulas once for a whole stretch. */
#define LAR_PEN_VALUE(type) LAR_PEN_VALUE_AS(value_rows, type, value)
#define LAR_PEN_GRAD(type)  LAR_PEN_GRAD_AS(grad_rows, type, slope)
#define LAR_PEN_PROX(type)  LAR_PEN_PROX_AS(prox_rows, type, shrink)

#define LAR_SEPARABLE_LOOPS(name, type) \
  LAR_PEN_HEAD(name)                    \
  LAR_PEN_VALUE(type) LAR_PEN_GRAD(type) LAR_PEN_PROX(type) LAR_PEN_SCALARS(type)

/* The scalar slots are double: they belong to the float64 object. */
#if defined(LAR_REAL_F32)
#define LAR_PEN_SCALARS(type)
#define LAR_PEN_SLOTS .value1 = NULL
#else
#define LAR_PEN_SLOTS .value1 = value1, .grad1 = grad1, .prox1 = prox1, .subdist1 = subdist1
#define LAR_PEN_SCALARS(type)                                                        \
  static double value1(const void *p, double l, double w) { return value(p, l, w); } \
  static double grad1(const void *p, double l, double w) { return slope(p, l, w); }  \
  static double prox1(const void *p, double l, double v, double step) {              \
    return shrink(p, l, v, step);                                                    \
  }                                                                                  \
  static double subdist1(const void *p, double l, double w, double g) {              \
    return distance(p, l, w, g);                                                     \
  }
#endif

#define LAR_SEPARABLE_SLOTS(name) \
  LAR_PEN_SLOTS, .rows = {&lar_pen_##name##_f32, &lar_pen_##name##_f64}

#endif
