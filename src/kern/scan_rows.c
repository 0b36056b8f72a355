/* The typed loops of kern/scan. */
#include "core/number.h"
#include "kern/scan.h"

#ifdef LAR_REAL_I64
typedef uint64_t acc; /* wraps around, as Lua's integers do */
#else
typedef double acc;
#endif

static void row(const lar_scan_job *j, real *y, const real *x, const real *a, int64_t step) {
  acc v = j->kind == LAR_SCAN_PROD;
  for (int64_t i = 0; i < j->n; i++) {
    acc next = (acc)x[i * step];
    if (j->kind == LAR_SCAN_SUM)
      v += next;
    else if (j->kind == LAR_SCAN_PROD)
      v *= next;
    else
      v = i == 0 ? next : (acc)a[i * step] * v + next;
    y[i * step] = (real)v;
  }
}

/* m neighbouring columns side by side, up or down by `step`. */
static void columns(const lar_scan_job *j, real *y, const real *x, const real *a, int64_t step,
                    int64_t m) {
  acc v[LAR_SCAN_PANEL];
  for (int64_t k = 0; k < m; k++) v[k] = j->kind == LAR_SCAN_PROD;
  for (int64_t i = 0; i < j->n; i++, x += step, y += step) {
    if (j->kind == LAR_SCAN_SUM)
      for (int64_t k = 0; k < m; k++) v[k] += (acc)x[k];
    else if (j->kind == LAR_SCAN_PROD)
      for (int64_t k = 0; k < m; k++) v[k] *= (acc)x[k];
    else
      for (int64_t k = 0; k < m; k++)
        v[k] = i == 0 ? (acc)x[k] : (acc)a[i * step + k] * v[k] + (acc)x[k];
    for (int64_t k = 0; k < m; k++) y[k] = (real)v[k];
  }
}

void LAR_R(lar_scan_rows)(void *ctx, int64_t begin, int64_t end) {
  const lar_scan_job *j = ctx;
  int64_t last = j->reverse ? (j->n - 1) * j->inner : 0, m = 1;
  int64_t step = j->reverse ? -j->inner : j->inner;
  for (int64_t r = begin; r < end; r += m) {
    int64_t c = r % j->inner, at = (r / j->inner) * j->n * j->inner + c + last;
    real *y = (real *)j->y + at;
    const real *x = (const real *)j->x + at;
    const real *a = j->a != NULL ? (const real *)j->a + at : NULL;
    m = j->inner - c < LAR_SCAN_PANEL ? j->inner - c : LAR_SCAN_PANEL;
    if (m > end - r) m = end - r;
    if (m == 1)
      row(j, y, x, a, step);
    else
      columns(j, y, x, a, step, m);
  }
}
