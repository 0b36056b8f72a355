#include "solver/loose.h"

#include <math.h>
#include <string.h>

#include "core/interrupt.h"
#include "core/mem.h"
#include "solver/centre.h"

static double dot(const double *a, const double *b, int64_t m) {
  double sum = 0;
  for (int64_t i = 0; i < m; i++) sum += a[i] * b[i];
  return sum;
}

/* Column j of Z times the root of the weights. */
void lar_root_column(const lar_problem *g, int64_t j, double *out) {
  const lar_design *x = g->x;
  double mean = lar_design_mean(x, j), scale = lar_design_scale(x, j);
  for (int64_t i = 0; i < x->n; i++) out[i] = scale == 0 ? 0 : -mean / scale;
  if (scale != 0) lar_design_axpy(x, j, 1 / scale, NULL, out);
  for (int64_t i = 0; i < x->n; i++) out[i] *= sqrt(g->rows.w[i]);
}

/* v less its part along Q, twice for the digits; the parts are added to `part`, if any. */
void lar_loose_project(const lar_loose *f, int64_t n, double *v, double *part) {
  for (int turn = 0; turn < 2; turn++)
    for (int64_t k = 0; k < f->m; k++) {
      const double *q = f->Q + k * n, along = dot(q, v, n);
      for (int64_t i = 0; i < n; i++) v[i] -= along * q[i];
      if (part != NULL) part[k] += along;
    }
}

/* Q R of the free columns, by Gram and Schmidt. */
lar_status lar_loose_factor(lar_loose *f, const lar_problem *g) {
  const int64_t n = g->x->n, m = f->m;
  void *v;
  LAR_TRY(lar_alloc(&v, (size_t)(m * (n + m + 1)) + 1, sizeof(double)));
  f->Q = v, f->R = f->Q + n * m;
  double *part = f->R + m * m;
  lar_loose before = *f;
  for (int64_t k = 0; k < m && !lar_interrupt_pending(); k++) {
    double *q = f->Q + k * n;
    lar_root_column(g, f->list[k], q);
    const double all = sqrt(dot(q, q, n));
    before.m = k;
    memset(part, 0, (size_t)m * sizeof *part);
    lar_loose_project(&before, n, q, part);
    for (int64_t l = 0; l < k; l++) f->R[l * m + k] = part[l];
    const double left = sqrt(dot(q, q, n)), by = left > 1e-10 * all ? left : 0;
    f->R[k * m + k] = by;
    for (int64_t i = 0; i < n; i++) q[i] = by > 0 ? q[i] / by : 0;
  }
  return LAR_OK;
}

/* b solves R b = part. */
void lar_loose_solve(const lar_loose *f, double *part) {
  for (int64_t k = f->m - 1; k >= 0; k--) {
    for (int64_t l = k + 1; l < f->m; l++) part[k] -= f->R[k * f->m + l] * part[l];
    part[k] = f->R[k * f->m + k] > 0 ? part[k] / f->R[k * f->m + k] : 0;
  }
}

/* P K P, for the projection P, in place: its rows, then its columns. */
void lar_loose_kernel(const lar_loose *f, int64_t n, double *K) {
  for (int64_t i = 0; i < n; i++) lar_loose_project(f, n, K + i * n, NULL);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < i; j++) {
      const double swap = K[i * n + j];
      K[i * n + j] = K[j * n + i];
      K[j * n + i] = swap;
    }
  for (int64_t i = 0; i < n; i++) lar_loose_project(f, n, K + i * n, NULL);
}

/* G = A'A becomes A'P A. */
lar_status lar_loose_gram(const lar_loose *f, const lar_problem *g, double *G) {
  const int64_t n = g->x->n, p = g->x->p;
  void *room;
  LAR_TRY(lar_alloc_raw(&room, (size_t)(n + p) + 1, sizeof(double)));
  double *v = room, *along = v + n;
  for (int64_t k = 0; k < f->m && !lar_interrupt_pending(); k++) {
    for (int64_t i = 0; i < n; i++) v[i] = f->Q[k * n + i] * sqrt(g->rows.w[i]);
    lar_design_tmul(g->x, v, lar_total(v, n), NULL, 0, along);
    for (int64_t j = 0; j < p; j++)
      for (int64_t i = 0; i < p; i++) G[j * p + i] -= along[j] * along[i];
  }
  lar_free(room);
  return LAR_OK;
}

void lar_loose_close(lar_loose *f) {
  lar_free(f->list);
  lar_free(f->Q);
  *f = (lar_loose){0};
}
