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

void LAR_R(lar_scan_rows)(void *ctx, int64_t begin, int64_t end) {
  const lar_scan_job *j = ctx;
  int64_t last = j->reverse ? (j->n - 1) * j->inner : 0;
  for (int64_t r = begin; r < end; r++) {
    int64_t at = (r / j->inner) * j->n * j->inner + r % j->inner + last;
    row(j, (real *)j->y + at, (const real *)j->x + at,
        j->a != NULL ? (const real *)j->a + at : NULL, j->reverse ? -j->inner : j->inner);
  }
}
