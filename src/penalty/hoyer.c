#include <tgmath.h>

#include "core/par.h"
#include "core/real.h"
#include "penalty/penalty.h"

double lar_hoyer_value_f32(int64_t n, const void *w);
double lar_hoyer_value_f64(int64_t n, const void *w);
void lar_hoyer_grad_f32(int64_t n, double l, const void *w, void *g);
void lar_hoyer_grad_f64(int64_t n, double l, const void *w, void *g);

enum { WORK = 32768, PARTS = 256 };

typedef struct none {
  char unused;
} none;

/* Sums of magnitudes and squares, by chunks of fixed size. */
typedef struct sums {
  const real *w;
  real *to;
  int64_t grain;
  double a, b;
  double part[PARTS][2];
} sums;

static void sum_part(void *ctx, int64_t begin, int64_t end) {
  sums *s = ctx;
  const real *w = s->w;
  double one = 0, two = 0;
  _Pragma("omp simd reduction(+ : one, two)") for (int64_t j = begin; j < end; j++) {
    double v = (double)w[j];
    one += fabs(v);
    two += v * v;
  }
  s->part[begin / s->grain][0] = one;
  s->part[begin / s->grain][1] = two;
}

static void sum_all(int64_t n, const real *w, double *one, double *two) {
  sums s = {.w = w, .grain = (n + PARTS - 1) / PARTS};
  if (s.grain < WORK) s.grain = WORK;
  lar_par_for(n, s.grain, sum_part, &s);
  *one = *two = 0;
  for (int64_t k = 0; k * s.grain < n; k++) *one += s.part[k][0], *two += s.part[k][1];
}

double LAR_R(lar_hoyer_value)(int64_t n, const void *w) {
  double one, two;
  sum_all(n, w, &one, &two);
  return two == 0 ? 0 : one / two * one;
}

/* d (s^2 / q) / d w_j = 2 s/q sign(w_j) - 2 (s/q)^2 w_j */
static void grad_part(void *ctx, int64_t begin, int64_t end) {
  const sums *s = ctx;
  const real *w = s->w, a = (real)s->a, b = (real)s->b;
  real *to = s->to;
  _Pragma("GCC ivdep") for (int64_t j = begin; j < end; j++) to[j] +=
    w[j] == 0 ? (real)0 : copysign(a, w[j]) - b * w[j];
}

void LAR_R(lar_hoyer_grad)(int64_t n, double l, const void *w, void *g) {
  double one, two;
  sum_all(n, w, &one, &two);
  if (two == 0) return;
  sums s = {.w = w, .to = g, .a = 2 * l * one / two};
  s.b = s.a * (one / two);
  lar_par_for(n, WORK, grad_part, &s);
}

#if !defined(LAR_REAL_F32)
static lar_status value(const lar_pen_at *at, const lar_tensor *w, double *out) {
  *out = at->l * (w->dtype == LAR_F32 ? lar_hoyer_value_f32 : lar_hoyer_value_f64)(
                   lar_tensor_numel(w), lar_tensor_data(w));
  return LAR_OK;
}

static lar_status grad(const lar_pen_at *at, const lar_tensor *w, const lar_tensor *g) {
  (w->dtype == LAR_F32 ? lar_hoyer_grad_f32 : lar_hoyer_grad_f64)(
    lar_tensor_numel(w), at->l, lar_tensor_data(w), lar_tensor_data(g));
  return LAR_OK;
}

LAR_ENTRY(penalty, hoyer) = {
  .name = "hoyer",
  .doc = "Hoyer-square: the number of coordinates, were they alike; scale does not matter",
  .source = "Yang, Wen & Li 2020, ICLR (DeepHoyer), eq. 5; Hoyer 2004, JMLR 5",
  .formula = "lambda |w|_1^2/|w|_2^2",
  .size = sizeof(none),
  .traits = LAR_SMOOTH,
  .value = value,
  .grad = grad,
};
#endif
