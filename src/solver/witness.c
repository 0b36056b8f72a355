#include "solver/witness.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "solver/columns.h"

bool lar_witness_fits(const lar_problem *g, const lar_scalar *s) {
  bool squares = (g->family->traits & LAR_FAM_QUADRATIC) != 0;
  if (!squares || s->other != NULL || s->lo != NULL || !s->convex) return false;
  for (int64_t j = 0; j < s->p; j++)
    if (!(s->a[j] > 0)) return false;
  return true;
}

lar_status lar_witness_open(lar_witness *w, const lar_design *x) {
  const int64_t n = x->n, p = x->p;
  void *v;
  *w = (lar_witness){.n = n, .p = p, .strength = HUGE_VAL};
  LAR_TRY(lar_alloc(&v, (size_t)(2 * (n + p)) + 1, sizeof(double)));
  w->block = v;
  w->last = (lar_glance){.u = w->block, .corr = w->block + n};
  w->before = (lar_glance){.u = w->block + n + p, .corr = w->block + 2 * n + p};
  return LAR_OK;
}

void lar_witness_close(lar_witness *w) {
  lar_free(w->block);
  *w = (lar_witness){0};
}

void lar_witness_keep(lar_witness *w, const lar_scalar *s, const double *u, const double *corr,
                      bool exact, double square, double along) {
  lar_glance next = w->before;
  w->before = w->last;
  w->last = next;
  w->last.exact = exact;
  memcpy(w->last.u, u, (size_t)w->n * sizeof *u);
  memcpy(w->last.corr, corr, (size_t)w->p * sizeof *corr);
  w->strength = s->lambda;
  w->square = square, w->along = square - along;
  w->most = 0;
  w->bends = s->b != NULL;
  for (int64_t j = 0; j < w->p; j++) {
    w->most = fmax(w->most, fabs(corr[j]) / s->a[j]);
    w->bends = w->bends && s->b[j] > 0;
  }
}

/* A quadratic penalty takes the sum of (t |z_j'u| - lambda a_j)^2 / (2 lambda b_j) off the dual
 * at t u, where that is positive; its first two derivatives. */
static double bent(const lar_witness *w, const lar_scalar *s, double t, double *slope,
                   double *curve) {
  const double *corr = w->last.corr, *a = s->a, *b = s->b, lambda = s->lambda;
  double sum = 0, one = 0, two = 0;
#pragma omp simd reduction(+ : sum, one, two)
  for (int64_t j = 0; j < w->p; j++) {
    double c = fabs(corr[j]), over = t * c - lambda * a[j], rate = 1 / (lambda * b[j]);
    over = over > 0 ? over : 0;
    sum += over * over * rate / 2;
    one += over * c * rate;
    two += over > 0 ? c * c * rate : 0;
  }
  *slope = one, *curve = two;
  return sum;
}

/* Newton's method on a dual that bends down ever more as multiples rise: a step up may go too
 * far, and from there on all go down. */
static double by_steps(const lar_witness *w, const lar_scalar *s) {
  enum { STEPS = 8 };
  double t = 1, best = 0, slope, curve;
  for (int k = 0; k < STEPS && t > 0; k++) {
    double off = bent(w, s, t, &slope, &curve);
    best = fmax(best, t * w->along - t * t * w->square / 2 - off);
    double step = (w->along - t * w->square - slope) / (w->square + curve);
    t += step;
    if (fabs(step) <= 1e-4 * t) break;
  }
  return best;
}

double lar_witness_dual(const lar_witness *w, const lar_scalar *s) {
  if (w->strength == HUGE_VAL || !(w->square > 0)) return -HUGE_VAL;
  double limit = w->most > 0 ? s->lambda / w->most : HUGE_VAL, best = w->along / w->square;
  if (best <= 0) return 0;
  double t = fmin(best, limit), dual = t * w->along - t * t * w->square / 2;
  return !w->bends || t == best || s->lambda == 0 ? dual : fmax(dual, by_steps(w, s));
}

bool lar_witness_guess(const lar_witness *w, const double *u, double *out) {
  const double least = 1e-10;
  const lar_glance *a = &w->last, *b = &w->before;
  if (!a->exact || !b->exact) return false;
  double (*dot)(int64_t, const int32_t *, const void *, const double *) = lar_columns_f64.dot;
  double aa = dot(w->n, NULL, a->u, a->u), ab = dot(w->n, NULL, a->u, b->u),
         bb = dot(w->n, NULL, b->u, b->u), au = dot(w->n, NULL, a->u, u),
         bu = dot(w->n, NULL, b->u, u), det = aa * bb - ab * ab;
  if (!(det > least * aa * bb)) return false;
  double of_a = (au * bb - bu * ab) / det, of_b = (bu * aa - au * ab) / det;
  for (int64_t j = 0; j < w->p; j++) out[j] = of_a * a->corr[j] + of_b * b->corr[j];
  return true;
}
