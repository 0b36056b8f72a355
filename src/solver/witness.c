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
  for (int64_t j = 0; j < w->p; j++) w->most = fmax(w->most, fabs(corr[j]) / s->a[j]);
}

/* What a quadratic penalty takes off the dual at t u, with its first two derivatives. */
static double bent(const lar_witness *w, const lar_scalar *s, double t, double *slope,
                   double *curve) {
  double sum = 0;
  *slope = *curve = 0;
  for (int64_t j = 0; j < w->p; j++) {
    double c = fabs(w->last.corr[j]), over = t * c - s->lambda * s->a[j];
    if (over <= 0) continue;
    double b = s->lambda * s->b[j];
    if (!(b > 0)) {
      *slope = HUGE_VAL;
      return HUGE_VAL;
    }
    sum += over * over / (2 * b);
    *slope += over * c / b;
    *curve += c * c / b;
  }
  return sum;
}

/* Newton's method on a dual that bends down ever more as multiples rise. */
static double by_steps(const lar_witness *w, const lar_scalar *s, double t) {
  enum { STEPS = 8 };
  double best = 0, slope, curve;
  for (int k = 0; k < STEPS && t > 0; k++) {
    double off = bent(w, s, t, &slope, &curve);
    if (off == HUGE_VAL) break;
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
  return s->b == NULL || t == best ? dual : fmax(dual, by_steps(w, s, best));
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
