/*
 * op/gelu - what gelu and its derivative share. Include after op/map.h.
 *
 * With a = |x| and h = Phi(-a), gelu is x - a h for positive x and -a h for others: nothing
 * cancels where x is negative. The tanh form is the same with another h, 1 / (1 + exp(2u)) for
 * u = sqrt(2 / pi) (a + 0.044715 a^3), which is (1 - tanh(u)) / 2.
 */
#ifndef LAR_OP_GELU_H
#define LAR_OP_GELU_H

#define ROOT_HALF     0.70710678118654752440
#define ROOT_2_PI     0.79788456080286535588 /* sqrt(2 / pi) */
#define ONE_ROOT_2_PI 0.39894228040143267794 /* 1 / sqrt(2 pi) */
#define CUBE          0.044715

/* |x|, no further than where h is 0: infinity times that would be NaN. */
static inline real gelu_size(real x) {
  real a = fabs(x);
  return a > 40 ? 40 : a;
}

/* h of the exact form, of which bell = exp(-a^2 / 2). */
static inline real gelu_tail(real a, real bell) {
#ifdef LAR_REAL_F32 /* a polynomial in (a - K) / (a + K), within 3e-9 of it */
#ifdef FP_FAST_FMAF
#define STEP(v, w, c) fmaf(v, w, c)
#else
#define STEP(v, w, c) ((v) * (w) + (c))
#endif
  const real K = 4.2F, q = 1 / (a + K), w = (a - K) * q;
  real v = STEP(-2.22131287e-4F, w, -2.44513918e-4F);
  v = STEP(v, w, 2.12084408e-3F);
  v = STEP(v, w, -1.48147329e-3F);
  v = STEP(v, w, -1.67682987e-2F);
  v = STEP(v, w, 8.01785596e-2F);
  v = STEP(v, w, -2.13817295e-1F);
  v = STEP(v, w, 4.12246591e-1F);
  v = STEP(v, w, -6.21862448e-1F);
  v = STEP(v, w, 7.58751513e-1F);
#undef STEP
  return bell * (v * q);
#else
  (void)bell;
  return (real)0.5 * erfc(a * ROOT_HALF);
#endif
}

static inline real gelu_bell(real a) { return exp((real)-0.5 * a * a); }

/* exp(-2u) */
static inline real gelu_odds(real a) {
  return exp((real)(-2 * ROOT_2_PI) * a * (1 + (real)CUBE * a * a));
}

#endif
