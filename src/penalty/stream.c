/* Loops of the composition of proxes, for each dtype. */
#include "core/real.h"
#include "penalty/compose.h"

enum { BLOCK = 512 };

void LAR_R(lar_axpy)(int64_t n, double a, const void *x, void *y) {
  const real *from = x, scale = (real)a;
  real *to = y;
  _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) to[i] += scale * from[i];
}

/* Totals of a and b for each coordinate; an infinite weight makes a infinite. */
static void totals(const lar_simples *s, int64_t begin, int64_t n, double *a, double *b) {
  for (int64_t i = 0; i < n; i++) a[i] = b[i] = 0;
  for (int k = 0; k < s->n; k++) {
    const double ka = s->at[k].a, kb = s->at[k].b;
    const double *wt = s->weight[k] != NULL ? s->weight[k] + begin : NULL;
    if (wt == NULL)
      for (int64_t i = 0; i < n; i++) a[i] += ka, b[i] += kb;
    else
      _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) {
        a[i] += wt[i] < HUGE_VAL ? ka * wt[i] : HUGE_VAL;
        b[i] += wt[i] < HUGE_VAL ? kb * wt[i] : 0;
      }
  }
}

/* Without weights: a and b are the same for all coordinates. NULL metric: 1; NULL fold: none.
 */
static inline void plain(const lar_simples *s, lar_simple of, int64_t n, real *w, const real *m,
                         real *fold) {
  const real a = (real)of.a, b = (real)of.b, lo = (real)of.lo, hi = (real)of.hi;
  const real step = (real)s->step;
  _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) {
    real mi = m != NULL ? m[i] : (real)1, t = step * mi, v = w[i], cut = t * a;
    real part = v < -cut ? -cut : v, over = b != 0 ? (real)1 / ((real)1 + t * b) : (real)1;
    real u = (v - (part > cut ? cut : part)) * over; /* what soft thresholding leaves */
    if (fold != NULL) fold[i] = mi * over;
    u = u < lo ? lo : u;
    w[i] = u > hi ? hi : u;
  }
}

static bool run_plain(const lar_simples *s, int64_t begin, int64_t n) {
  const lar_simple of = lar_simple_sum(s->n, s->at);
  for (int k = 0; k < s->n; k++)
    if (s->weight[k] != NULL) return false;
  real *w = (real *)s->w + begin, *fold = s->fold != NULL ? (real *)s->fold + begin : NULL;
  const real *m = s->metric != NULL ? (const real *)s->metric + begin : NULL;
  /* Cut by what is there, so that each loop has only the divisions it needs. Without b the
   * metric stays as it is. */
  const lar_simple kinks = {.a = of.a, .lo = of.lo, .hi = of.hi};
  bool stays = of.b == 0 && (fold == NULL || s->fold == s->metric);
  if (stays && m != NULL)
    plain(s, kinks, n, w, m, NULL);
  else if (stays)
    plain(s, kinks, n, w, NULL, NULL);
  else if (m != NULL && fold != NULL)
    plain(s, of, n, w, m, fold);
  else if (m != NULL)
    plain(s, of, n, w, m, NULL);
  else
    plain(s, of, n, w, NULL, fold);
  return true;
}

void LAR_R(lar_simples)(void *simples, int64_t begin, int64_t end) {
  const lar_simples *s = simples;
  double a[BLOCK], b[BLOCK];
  if (run_plain(s, begin, end - begin)) return;
  const double lo = lar_simple_sum(s->n, s->at).lo, hi = lar_simple_sum(s->n, s->at).hi;
  for (int64_t at = begin; at < end; at += BLOCK) {
    int64_t n = end - at < BLOCK ? end - at : BLOCK;
    real *w = (real *)s->w + at, *fold = s->fold != NULL ? (real *)s->fold + at : NULL;
    const real *m = s->metric != NULL ? (const real *)s->metric + at : NULL;
    totals(s, at, n, a, b);
    _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) {
      double t = s->step * (m != NULL ? (double)m[i] : 1), v = (double)w[i];
      double left = fabs(v) - t * a[i], shrunk = 1 + t * b[i];
      double u = (left <= 0 ? 0 : copysign(left, v)) / shrunk;
      if (fold != NULL) fold[i] = (real)((m != NULL ? (double)m[i] : 1) / shrunk);
      u = u < lo ? lo : u;
      w[i] = (real)(u > hi ? hi : u);
    }
  }
}
