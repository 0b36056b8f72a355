/* The typed loops of kern/extreme. */
#include "core/number.h"
#include "kern/extreme.h"

enum { BLOCK = 512 };

/* NaN as a truth that vectorises; never for integers. */
#ifdef LAR_REAL_I64
#define IS_NAN(x) 0
#else
#define IS_NAN(x) ((x) != (x))
#endif

#define SIMD(clauses) _Pragma(#clauses)

/* For the largest with > and max, for the smallest with < and min:
 *   peak    of n neighbours, *bad when a NaN is among them
 *   place   of the first extreme of n neighbours: the block it is in, then the place there
 *   columns the same for m neighbouring columns at once */
#define BOTH(peak, place, columns, op, extreme)                                        \
  static real peak(const real *x, int64_t n, bool *bad) {                              \
    real top = x[0];                                                                   \
    int nans = 0;                                                                      \
    SIMD(omp simd reduction(extreme : top) reduction(| : nans))                        \
    for (int64_t i = 0; i < n; i++) {                                                  \
      top = x[i] op top ? x[i] : top;                                                  \
      nans |= IS_NAN(x[i]);                                                            \
    }                                                                                  \
    *bad = nans != 0;                                                                  \
    return top;                                                                        \
  }                                                                                    \
                                                                                       \
  static int64_t place(const real *x, int64_t n) {                                     \
    int64_t from = 0;                                                                  \
    real best = x[0];                                                                  \
    for (int64_t at = 0; at < n; at += BLOCK) {                                        \
      int64_t m = n - at < BLOCK ? n - at : BLOCK;                                     \
      bool bad;                                                                        \
      real top = peak(x + at, m, &bad);                                                \
      for (int64_t i = at; bad && i < at + m; i++)                                     \
        if (IS_NAN(x[i])) return i;                                                    \
      if (top op best) best = top, from = at;                                          \
    }                                                                                  \
    while (x[from] != best) from++;                                                    \
    return from;                                                                       \
  }                                                                                    \
                                                                                       \
  static void columns(real *best, int64_t *at, const real *x, int64_t n, int64_t step, \
                      int64_t m) {                                                     \
    for (int64_t k = 0; k < m; k++) best[k] = x[k], at[k] = 0;                         \
    for (int64_t i = 1; i < n; i++)                                                    \
      for (int64_t k = 0; k < m; k++) {                                                \
        real v = x[i * step + k];                                                      \
        bool better = (v op best[k]) | (IS_NAN(v) & !IS_NAN(best[k]));                 \
        best[k] = better ? v : best[k];                                                \
        at[k] = better ? i : at[k];                                                    \
      }                                                                                \
  }

BOTH(highest, highest_place, highest_columns, >, max)
BOTH(lowest, lowest_place, lowest_columns, <, min)

static void row(const lar_extreme_job *j, int64_t r) {
  const real *x = (const real *)j->x + r * j->n;
  int64_t at = j->largest ? highest_place(x, j->n) : lowest_place(x, j->n);
  if (j->value != NULL) ((real *)j->value)[r] = x[at];
  if (j->place != NULL) j->place[r] = at + 1;
}

/* Rows [begin, end) of one outer index, which are columns there. */
static void block(const lar_extreme_job *j, int64_t begin, int64_t end) {
  real best[BLOCK];
  int64_t at[BLOCK];
  for (int64_t r = begin; r < end; r += BLOCK) {
    int64_t m = end - r < BLOCK ? end - r : BLOCK;
    const real *x = (const real *)j->x + (r / j->inner) * j->n * j->inner + r % j->inner;
    (j->largest ? highest_columns : lowest_columns)(best, at, x, j->n, j->inner, m);
    for (int64_t k = 0; k < m; k++) {
      if (j->value != NULL) ((real *)j->value)[r + k] = best[k];
      if (j->place != NULL) j->place[r + k] = at[k] + 1;
    }
  }
}

void LAR_R(lar_extreme_rows)(void *ctx, int64_t begin, int64_t end) {
  const lar_extreme_job *j = ctx;
  while (begin < end) {
    if (j->inner == 1) {
      row(j, begin++);
      continue;
    }
    int64_t last = (begin / j->inner + 1) * j->inner;
    if (last > end) last = end;
    block(j, begin, last);
    begin = last;
  }
}
