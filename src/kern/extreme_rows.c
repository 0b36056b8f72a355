/* The typed loops of kern/extreme. */
#include "core/number.h"
#include "kern/extreme.h"

/* Place of the largest; a comparison with NaN is false, so NaN is looked for by name. */
static int64_t highest(const real *x, int64_t n, int64_t step) {
  int64_t best = 0;
  for (int64_t i = 0; i < n; i++) {
    if (x[i * step] != x[i * step]) return i;
    if (x[i * step] > x[best * step]) best = i;
  }
  return best;
}

static int64_t lowest(const real *x, int64_t n, int64_t step) {
  int64_t best = 0;
  for (int64_t i = 0; i < n; i++) {
    if (x[i * step] != x[i * step]) return i;
    if (x[i * step] < x[best * step]) best = i;
  }
  return best;
}

void LAR_R(lar_extreme_rows)(void *ctx, int64_t begin, int64_t end) {
  const lar_extreme_job *j = ctx;
  int64_t n = j->n, step = j->inner;
  for (int64_t r = begin; r < end; r++) {
    const real *x = (const real *)j->x + (r / step) * n * step + r % step;
    int64_t at = j->largest ? highest(x, n, step) : lowest(x, n, step);
    if (j->value != NULL) ((real *)j->value)[r] = x[at * step];
    if (j->place != NULL) j->place[r] = at + 1;
  }
}
