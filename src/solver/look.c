#include "solver/look.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "solver/centre.h"
#include "solver/columns.h"

enum { IN, OUT, HIDDEN }; /* of columns that are out, those whose slopes are not known */

enum { FEW = 3 }; /* where one column in so many matters, all are looked at */

lar_status lar_look_open(lar_look *l, const lar_design *x) {
  const size_t n = (size_t)x->n, p = (size_t)x->p;
  void *v;
  *l = (lar_look){.x = x};
  LAR_TRY(lar_alloc_raw(&v, n + 3 * p + 1, sizeof(double)));
  l->v = v, l->corr = l->v + n, l->norm = l->corr + p, l->some = l->norm + p;
  LAR_TRY(lar_alloc_raw(&v, p + 1, sizeof *l->list));
  l->list = v;
  LAR_TRY(lar_alloc(&v, p + 1, sizeof *l->bound));
  l->bound = v;
  LAR_TRY(lar_alloc(&v, p + 1, 1));
  l->out = v;
  return LAR_OK;
}

void lar_look_close(lar_look *l) {
  lar_free(l->v);
  lar_free(l->list);
  lar_free(l->bound);
  lar_free(l->out);
  *l = (lar_look){0};
}

static double dot(int64_t n, const double *a, const double *b) {
  return lar_columns_f64.dot(n, NULL, a, b);
}

void lar_look_known(lar_look *l, const double *u, const double *corr) {
  memcpy(l->v, u, (size_t)l->x->n * sizeof *u);
  memcpy(l->corr, corr, (size_t)l->x->p * sizeof *corr);
  memset(l->bound, 0, (size_t)l->x->p * sizeof *l->bound);
  l->square = dot(l->x->n, u, u);
}

void lar_look_all(lar_look *l, const double *u, double *corr) {
  lar_design_tmul(l->x, u, lar_total(u, l->x->n), NULL, 0, corr);
  lar_look_known(l, u, corr);
}

/* What rounding may have taken from a square is given back. */
static void measure(lar_look *l) {
  const lar_design *x = l->x;
  for (int64_t j = 0; j < x->p; j++) {
    double one, two, scale = lar_design_scale(x, j), mean = lar_design_mean(x, j);
    lar_design_moments(x, j, NULL, &one, &two);
    double square = two - 2 * mean * one + (double)x->n * mean * mean;
    l->norm[j] = scale == 0 ? 0 : sqrt(fmax(square, 0) + 1e-12 * two) / scale;
    l->longest = fmax(l->longest, l->norm[j]);
  }
  l->measured = true;
}

double lar_look_longest(lar_look *l) {
  if (!l->measured) measure(l);
  return l->longest;
}

static void take(lar_look *l, int64_t m, const double *u, double *corr) {
  lar_design_tmul(l->x, u, lar_total(u, l->x->n), l->list, m, l->some);
  for (int64_t k = 0; k < m; k++) {
    corr[l->list[k]] = l->some[k];
    l->bound[l->list[k]] = false;
  }
}

void lar_look_screen(lar_look *l, const lar_scalar *s, const int32_t *place, const double *corr,
                     double share, double radius) {
  if (s->other != NULL || !(radius < HUGE_VAL)) return;
  if (!l->measured) measure(l);
  for (int64_t j = 0; j < l->x->p; j++) {
    double most = share * fabs(corr[j]) + radius * l->norm[j];
    if (place[j] == 0 && l->out[j] == IN && most < s->lambda * s->a[j]) l->out[j] = OUT;
  }
}

bool lar_look_around(lar_look *l, const lar_scalar *s, const int32_t *place,
                     const double *known, const double *u, double *corr) {
  int64_t m = 0;
  if (!(l->square > 0) || s->other != NULL) {
    lar_look_all(l, u, corr);
    return true;
  }
  if (!l->measured) measure(l);
  if (s->lambda != l->lambda) memset(l->out, IN, (size_t)l->x->p);
  l->lambda = s->lambda;
  double a = dot(l->x->n, u, l->v) / l->square, off = 0;
  for (int64_t i = 0; i < l->x->n; i++) off += (u[i] - a * l->v[i]) * (u[i] - a * l->v[i]);
  off = sqrt(off);
  for (int64_t j = 0; j < l->x->p; j++) {
    double guess = a * l->corr[j], most = fabs(guess) + l->norm[j] * off;
    bool held = most <= s->lambda * s->a[j];
    if (l->out[j] != IN) l->out[j] = held ? OUT : HIDDEN;
    l->bound[j] = place[j] == 0 && (held || l->out[j] == HIDDEN);
    corr[j] = l->out[j] == HIDDEN ? 0 : copysign(most, guess);
    if (place[j] != 0 && known != NULL) {
      corr[j] = known[place[j] - 1];
      continue;
    }
    l->list[m] = j;
    m += !l->bound[j];
  }
  if (m > l->x->p / FEW) {
    lar_look_all(l, u, corr);
    return true;
  }
  take(l, m, u, corr);
  return false;
}

void lar_look_closer(lar_look *l, const lar_scalar *s, const double *u, double *corr) {
  int64_t m = 0;
  for (int64_t j = 0; j < l->x->p; j++) {
    l->list[m] = j;
    m += l->bound[j] && !(l->out[j] != HIDDEN && fabs(corr[j]) <= s->lambda * s->a[j]);
  }
  if (m > 0) take(l, m, u, corr);
}
