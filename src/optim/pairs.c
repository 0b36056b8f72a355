#include "optim/pairs.h"

int lar_pairs_count(const lar_whole *h) { return (int)h->number[0]; }

void lar_pairs_forget(const lar_whole *h) { h->number[0] = h->number[1] = 0; }

/* The k-th last step; the change of gradient is `most` rows on. */
static double *step_of(const lar_whole *h, const lar_pairs *p, int k) {
  int at = ((int)h->number[1] - 1 - k + 2 * p->most) % p->most;
  return lar_whole_row(h, p->first + at);
}

/* Sums over the numbers that move alone. */
static double dot(int64_t n, const double *g, const double *a, const double *b) {
  double sum = 0;
  _Pragma("omp simd reduction(+ : sum)") for (int64_t j = 0; j < n; j++) sum +=
    g[j] != 0 ? a[j] * b[j] : 0;
  return sum;
}

static void add(int64_t n, const double *g, double a, const double *x, double *y) {
  _Pragma("GCC ivdep") for (int64_t j = 0; j < n; j++) y[j] += g[j] != 0 ? a * x[j] : 0;
}

void lar_pairs_direction(const lar_whole *h, const lar_pairs *p, const double *g, double *d) {
  double alpha[LAR_PAIRS_MOST], turn[LAR_PAIRS_MOST], scale = 1;
  const int64_t n = h->n, apart = p->most * n;
  int count = lar_pairs_count(h);
  for (int64_t j = 0; j < n; j++) d[j] = -g[j];
  for (int k = 0; k < count; k++) {
    const double *s = step_of(h, p, k), *y = s + apart;
    turn[k] = dot(n, g, s, y);
    if (!(turn[k] > 0)) continue;
    alpha[k] = dot(n, g, s, d) / turn[k];
    add(n, g, -alpha[k], y, d);
  }
  for (int k = count - 1; k >= 0; k--)
    if (turn[k] > 0)
      scale = turn[k] / dot(n, g, step_of(h, p, k) + apart, step_of(h, p, k) + apart);
  for (int64_t j = 0; j < n; j++) d[j] *= scale;
  for (int k = count - 1; k >= 0; k--) {
    const double *s = step_of(h, p, k), *y = s + apart;
    if (turn[k] > 0) add(n, g, alpha[k] - dot(n, g, y, d) / turn[k], s, d);
  }
}

void lar_pairs_keep(const lar_whole *h, const lar_pairs *p, const double *bend) {
  const int64_t n = h->n;
  int at = (int)h->number[1];
  double *s = lar_whole_row(h, p->first + at), *y = s + p->most * n;
  const double *x = lar_whole_row(h, LAR_TRIAL), *g = lar_whole_row(h, LAR_TRIAL_SLOPE);
  const double *from = lar_whole_row(h, LAR_POINT), *was = lar_whole_row(h, LAR_SLOPE);
  for (int64_t j = 0; j < n; j++) {
    s[j] = x[j] - from[j];
    y[j] = g[j] - was[j] + (bend != NULL ? bend[j] * s[j] : 0);
  }
  double turn = lar_whole_dot(n, s, y);
  bool tells = turn > h->noise * lar_whole_norm(n, s) * lar_whole_norm(n, y);
  if (!tells && lar_pairs_count(h) == p->most) lar_pairs_forget(h); /* its place is written */
  if (!tells) return;
  h->number[1] = (at + 1) % p->most;
  if (h->number[0] < p->most) h->number[0]++;
}

void lar_whole_accept(const lar_whole *h) {
  double *x = lar_whole_row(h, LAR_POINT), *g = lar_whole_row(h, LAR_SLOPE);
  const double *to = lar_whole_row(h, LAR_TRIAL), *slope = lar_whole_row(h, LAR_TRIAL_SLOPE);
  for (int64_t j = 0; j < h->n; j++) {
    x[j] = to[j];
    g[j] = slope[j];
  }
}

lar_status lar_pairs_iterate(lar_whole *h, const lar_pairs *p, lar_pairs_search *search,
                             double tol, const double *bend) {
  double t = 0;
  h->done = h->norm <= tol;
  if (h->done) return LAR_OK;
  LAR_TRY(search(h, p, &t));
  if (t == 0 && lar_pairs_count(h) > 0) {
    lar_pairs_forget(h);
    LAR_TRY(search(h, p, &t));
  }
  h->stalled = t == 0;
  if (h->stalled) return LAR_OK;
  lar_pairs_keep(h, p, bend);
  lar_whole_accept(h);
  return LAR_OK;
}
