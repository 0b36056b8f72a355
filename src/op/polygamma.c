#include "core/real.h"
#include "op/map.h"

static const lar_param params[] = {
  {"n", LAR_AT(0), 0, 0, 100, "order: 0 is digamma, 1 its derivative", LAR_INTEGER},
  {0},
};

/* B_2k / (2k)! */
static const double bernoulli[] = {
  1.0 / 12,
  -1.0 / 720,
  1.0 / 30240,
  -1.0 / 1209600,
  1.0 / 47900160.0,
  -691.0 / 1307674368000.0,
  1.0 / 74724249600.0,
};
enum { TERMS = sizeof bernoulli / sizeof *bernoulli, FAR = 12 };

/* sum_k (q + k)^-s for s > 1, by Euler-Maclaurin from q >= FAR on. */
static double zeta(double s, double q) {
  double sum = 0;
  for (; q < FAR; q++) sum += pow(q, -s);
  double power = pow(q, -s), rise = s * power / q;
  sum += power * q / (s - 1) + power / 2;
  for (int k = 0; k < TERMS; k++) {
    sum += bernoulli[k] * rise;
    rise *= (s + 2 * k + 1) * (s + 2 * k + 2) / (q * q);
  }
  return sum;
}

/* Positive x: recurrence up to FAR, then the asymptotic series. */
static double digamma(double x) {
  double y = 0;
  for (; x < FAR; x++) y -= 1 / x;
  double power = 1 / (x * x), rise = power;
  y += log(x) - 0.5 / x;
  for (int k = 0; k < TERMS; k++) {
    y -= bernoulli[k] * rise;
    rise *= (2 * k + 2) * (2 * k + 1) * power;
  }
  return y;
}

/* Left of 0: digamma by reflection, the others by the recurrence. */
static double value(double x, int n) {
  const double pi = 3.14159265358979323846;
  if (x != x || x == HUGE_VAL) return n == 0 ? x : x - x == 0 || x == HUGE_VAL ? 0 : x;
  if (x <= 0 && x == floor(x)) return n == 0 ? (double)NAN : HUGE_VAL;
  if (n == 0) return x > 0 ? digamma(x) : digamma(1 - x) - pi / tan(pi * x);
  if (x < -1e4) return (double)NAN; /* the recurrence would be long */
  return (n % 2 ? 1 : -1) * tgamma(n + 1.0) * zeta(n + 1.0, x);
}

static inline real f(real x, const double *p) { return (real)value((double)x, (int)p[0]); }
LAR_MAP1(polygamma, f)

static void vjp(lar_vjp *v) {
  lar_var *slope = lar_call1f(v->s, LAR_OP(polygamma), v->x[0], v->attr->f[0] + 1);
  v->gx[0] = lar_mul(v->s, v->g[0], slope);
}

LAR_ENTRY(op, polygamma) = {
  .name = "polygamma",
  .doc = "the n-th derivative of digamma",
  .args = "x",
  .params = params,
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(polygamma),
  .vjp = vjp,
};
