/* The second derivative of a loss whose rows are not independent (cox): a diagonal, less a
 * product of two thin matrices. */
#include <math.h>

#include "core/mem.h"
#include "kern/flat.h"
#include "solver/quad.h"

static void spread(const lar_design *x, int64_t j, double *z) {
  double scale = lar_design_scale(x, j), base = scale == 0 ? 0 : -lar_design_mean(x, j) / scale;
  for (int64_t i = 0; i < x->n; i++) z[i] = base;
  if (scale != 0) lar_design_axpy(x, j, 1 / scale, NULL, z);
}

/* gram = damp (gram - square), whose lower half is known. */
static void subtract(lar_quad *q, const double *square, double damp) {
  for (int64_t c = 0; c < q->m; c++)
    for (int64_t i = c; i < q->m; i++) {
      double *to = &q->gram[c * q->cap + i];
      *to = q->gram[i * q->cap + c] = damp * (*to - square[c * q->m + i]);
    }
  for (int64_t c = 0; c < q->m; c++) q->curve[c] = fmax(q->gram[c * q->cap + c], 0);
}

lar_status lar_quad_joint(lar_quad *q, const lar_problem *g, double damp) {
  const lar_family *f = g->family;
  const int64_t n = q->x->n, m = q->m, rows = f->joint(g->self, &g->rows, NULL);
  double total = 0;
  void *v;
  LAR_TRY(lar_alloc(&v, (size_t)(2 * n + rows * m + m * m) + 1, sizeof(double)));
  double *d = v, *z = d + n, *thin = z + n, *square = thin + rows * m;
  f->joint(g->self, &g->rows, d);
  for (int64_t i = 0; i < n; i++) total += d[i];
  lar_status st = lar_quad_fill(q, 0, d, total);
  for (int64_t k = 0; k < m && st == LAR_OK; k++) {
    spread(q->x, q->at[k], z);
    f->mix(g->self, &g->rows, z, thin + k * rows);
  }
  if (st == LAR_OK) {
    lar_flat_square(rows, m, thin, rows, square, m);
    subtract(q, square, damp);
  }
  lar_free(v);
  return st;
}
