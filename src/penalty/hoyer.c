#include <tgmath.h>

#include "core/mem.h"
#include "core/par.h"
#include "core/real.h"
#include "kern/copy.h"
#include "kern/sort.h"
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

/* With s = |u|_1, q = |u|_2^2, alpha = 2 t l s/q and p = 1 - alpha s/q, what is not 0 of a
 * stationary point is (|v_j| - alpha)/p for the k largest |v_j|. Their sums S1 and S2 leave
 *   S1 alpha^2 - (S2 + 2 t l k) alpha + 2 t l S1 = 0,
 * whose smaller root is the only one with p > 0: n + 1 points, and the best of them is least.
 */
typedef struct best {
  int64_t k;
  double value, alpha, p; /* value: of the objective times t, less that of u = 0 */
} best;

static void consider(best *of, int64_t k, double last, double one, double two, double tl) {
  double b = two + 2 * tl * (double)k, disc = b * b - 8 * tl * one * one;
  double root = sqrt(disc > 0 ? disc : 0), alpha = 4 * tl * one / (b + root);
  double p = 2 * root / (b + root), sum = one - (double)k * alpha;
  double square = two - alpha * (one + sum);
  if (!(alpha < last && p > 0 && square > 0)) return;
  double value = square / (2 * p * p) - (two - alpha * one) / p + tl * sum * sum / square;
  if (value < of->value) *of = (best){.k = k, .value = value, .alpha = alpha, .p = p};
}

/* Magnitudes are measured by the greatest. */
static lar_status least(int64_t n, double *size, double most, double tl, int64_t *place,
                        best *of) {
  double one = 0, two = 0;
  LAR_TRY(lar_argsort(true, LAR_F64, place, size, (int64_t[]){1, n, 1}, n));
  *of = (best){.p = 1};
  for (int64_t k = 0; k < n; k++) {
    double x = size[place[k] - 1] / most;
    one += x;
    two += x * x;
    consider(of, k + 1, x, one, two, tl / most / most);
  }
  for (int64_t k = 0; k < n; k++) {
    double *x = &size[place[k] - 1];
    *x = k < of->k ? (*x - of->alpha * most) / of->p : 0;
  }
  return LAR_OK;
}

static lar_status prox(const lar_pen_at *at, const lar_tensor *w, double step,
                       const lar_tensor *metric) {
  int64_t n = lar_tensor_numel(w);
  lar_tensor x = {0};
  void *size = NULL, *place = NULL;
  double most = 0, odd = 0;
  best of;
  lar_status st = LAR_OK;
  LAR_GO(lar_clone(&x, w, LAR_F64));
  LAR_GO(lar_alloc_raw(&size, (size_t)n + 1, sizeof(double)));
  LAR_GO(lar_alloc_raw(&place, (size_t)n + 1, sizeof(int64_t)));
  const double *v = lar_tensor_data(&x);
  for (int64_t j = 0; j < n; j++) {
    ((double *)size)[j] = fabs(v[j]);
    most = fabs(v[j]) > most ? fabs(v[j]) : most;
    odd += v[j] * 0;
  }
  if (odd != 0) lar_fill(w, (double)NAN);
  if (odd != 0 || most == 0) goto done;
  LAR_GO(least(n, size, most, at->l * step, place, &of));
  for (int64_t j = 0; j < n; j++) lar_tensor_put(w, j, copysign(((double *)size)[j], v[j]));
done:
  lar_free(place);
  lar_free(size);
  lar_tensor_clear(&x);
  return st;
}

LAR_ENTRY(penalty, hoyer) = {
  .name = "hoyer",
  .doc = "Hoyer-square: the number of coordinates, were they alike; scale does not matter",
  .source = "Yang, Wen & Li 2020, ICLR (DeepHoyer), eq. 5; Hoyer 2004, JMLR 5; prox: one "
            "quadratic for each number of weights that stay",
  .formula = "lambda |w|_1^2/|w|_2^2",
  .size = sizeof(none),
  .traits = LAR_SMOOTH | LAR_EUCLIDEAN | LAR_FALLIBLE,
  .value = value,
  .grad = grad,
  .prox = prox,
};
#endif
