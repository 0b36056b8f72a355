/* Newton's method on the coefficients that are not 0: there the objective is smooth up to
 * where one of them crosses 0, and along a line its least is found exactly. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "solver/quad.h"

static lar_status spaces(lar_quad *q) {
  void *step, *in;
  if (q->spaces == q->cap) return LAR_OK;
  lar_free(q->step);
  lar_free(q->in);
  q->step = NULL, q->in = NULL, q->spaces = 0;
  LAR_TRY(lar_alloc_raw(&step, (size_t)(5 * q->cap), sizeof(double)));
  q->step = step, q->move = q->step + q->cap, q->kink = q->move + q->cap;
  LAR_TRY(lar_alloc_raw(&in, (size_t)q->cap, sizeof(int64_t)));
  q->in = in;
  q->spaces = q->cap;
  return LAR_OK;
}

static inline double strength(const double *a, const lar_scalar *s, int64_t j) {
  return a == NULL || a[j] == 0 ? 0 : s->lambda * a[j];
}

/* Who moves: what is not 0 and not at a bound, and what is free. */
static int64_t choose(lar_quad *q, const lar_scalar *s) {
  int64_t n = 0;
  for (int64_t k = 0; k < q->m; k++) {
    int64_t j = q->at[k];
    double b = q->b[k];
    if (!(q->curve[k] > 1e-300)) continue;
    if (b == 0 && !(s->a[j] == 0 && s->lo == NULL)) continue;
    if (s->lo != NULL && (b <= s->lo[j] || b >= s->hi[j])) continue;
    q->in[n++] = k;
  }
  return n;
}

typedef struct kink {
  double t, jump;
  int64_t c;
} kink;

static int earlier(const void *a, const void *b) {
  double x = ((const kink *)a)->t, y = ((const kink *)b)->t;
  return (x > y) - (x < y);
}

/* Where along the step the objective is least: its slope starts at `slope`, rises by `curve` a
 * unit and jumps at kinks. *zero: the member that is exactly 0 there, or -1. */
static double least(const kink *at, int64_t n, double slope, double curve, double limit,
                    int64_t *zero) {
  double t = 0;
  *zero = -1;
  for (int64_t k = 0; k < n && at[k].t < limit; k++) {
    double there = slope + curve * (at[k].t - t);
    if (there >= 0) return t - slope / curve;
    t = at[k].t;
    slope = there + at[k].jump;
    if (slope >= 0) {
      *zero = at[k].c;
      return t;
    }
  }
  double rest = curve > 0 ? -slope / curve : limit - t;
  return t + rest < limit ? t + rest : limit;
}

static void multiply(lar_quad *q, int64_t n, double *out) {
  memset(out, 0, (size_t)q->m * sizeof *out);
  int64_t c = 0;
  for (; c + 4 <= n; c += 4) {
    const double *g[4], *d = q->step + c;
    for (int k = 0; k < 4; k++) g[k] = q->gram + q->in[c + k] * q->cap;
    for (int64_t i = 0; i < q->m; i++)
      out[i] += (g[0][i] * d[0] + g[1][i] * d[1]) + (g[2][i] * d[2] + g[3][i] * d[3]);
  }
  for (; c < n; c++) {
    const double *g = q->gram + q->in[c] * q->cap, d = q->step[c];
    for (int64_t i = 0; i < q->m; i++) out[i] += d * g[i];
  }
}

/* The step is in q->step; the kinks on its way, the slope and curvature along it, and how far
 * bounds let it go. */
typedef struct line {
  int64_t kinks;
  double slope, curve, limit;
} line;

static line survey(lar_quad *q, const lar_scalar *s, int64_t n, kink *at) {
  line l = {.limit = HUGE_VAL};
  for (int64_t c = 0; c < n; c++) {
    int64_t k = q->in[c], j = q->at[k];
    double b = q->b[k], d = q->step[c], a = strength(s->a, s, j), r = strength(s->b, s, j);
    l.slope += d * (q->slope[k] + r * b + (b == 0 ? 0 : copysign(a, b)));
    l.curve += d * (q->move[k] + r * d);
    if (b * d < 0 && a > 0) at[l.kinks++] = (kink){-b / d, 2 * a * fabs(d), c};
    if (s->lo == NULL || d == 0) continue;
    double to = ((d > 0 ? s->hi[j] : s->lo[j]) - b) / d;
    l.limit = to < l.limit ? to : l.limit;
  }
  return l;
}

static void walk(lar_quad *q, const lar_scalar *s, int64_t n, double t, int64_t zero) {
  for (int64_t c = 0; c < n; c++) {
    int64_t k = q->in[c], j = q->at[k];
    double b = q->b[k] + t * q->step[c];
    if (s->lo != NULL) b = b < s->lo[j] ? s->lo[j] : b > s->hi[j] ? s->hi[j] : b;
    q->b[k] = c == zero ? 0 : b;
  }
  for (int64_t i = 0; i < q->m; i++) q->slope[i] += t * q->move[i];
}

lar_status lar_quad_newton(lar_quad *q, const lar_scalar *s) {
  int64_t zero;
  LAR_TRY(spaces(q));
  bool done;
  const int64_t n = choose(q, s);
  if (n == 0) return LAR_OK;
  for (int64_t c = 0; c < n; c++) {
    int64_t k = q->in[c], j = q->at[k];
    double b = q->b[k], a = strength(s->a, s, j);
    q->step[c] = -(q->slope[k] + strength(s->b, s, j) * b + (b == 0 ? 0 : copysign(a, b)));
  }
  LAR_TRY(lar_quad_divide(q, s, n, q->step, &done));
  if (!done) return LAR_OK;
  multiply(q, n, q->move);
  kink *at = (kink *)(void *)q->kink;
  line l = survey(q, s, n, at);
  if (!(l.slope < 0)) return LAR_OK;
  qsort(at, (size_t)l.kinks, sizeof *at, earlier);
  double t = least(at, l.kinks, l.slope, l.curve, l.limit, &zero);
  if (t > 0 && isfinite(t)) walk(q, s, n, t, zero);
  return LAR_OK;
}
