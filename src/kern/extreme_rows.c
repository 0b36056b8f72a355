/* The typed loops of kern/extreme. */
#include "core/number.h"
#include "kern/extreme.h"
#include "kern/turn.h"

enum { BLOCK = 512, SHORT = 32, ROWS = 64 };

/* Places along columns, as wide as the elements, so that both go in the same vectors. */
#ifdef LAR_REAL_F32
typedef int32_t narrow;
#define TURN lar_turn_f32
#else
typedef int64_t narrow;
#define TURN lar_turn_f64 /* of whatever has eight bytes */
#endif

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
#define BOTH(peak, place, columns, op, extreme)                                          \
  static real peak(const real *x, int64_t n, bool *bad) {                                \
    real top = x[0];                                                                     \
    int nans = 0;                                                                        \
    SIMD(omp simd reduction(extreme : top) reduction(| : nans))                          \
    for (int64_t i = 0; i < n; i++) {                                                    \
      top = x[i] op top ? x[i] : top;                                                    \
      nans |= IS_NAN(x[i]);                                                              \
    }                                                                                    \
    *bad = nans != 0;                                                                    \
    return top;                                                                          \
  }                                                                                      \
                                                                                         \
  static int64_t place(const real *x, int64_t n) {                                       \
    int64_t from = 0;                                                                    \
    real best = x[0];                                                                    \
    for (int64_t at = 0; at < n; at += BLOCK) {                                          \
      int64_t m = n - at < BLOCK ? n - at : BLOCK;                                       \
      bool bad;                                                                          \
      real top = peak(x + at, m, &bad);                                                  \
      for (int64_t i = at; bad && i < at + m; i++)                                       \
        if (IS_NAN(x[i])) return i;                                                      \
      if (top op best) best = top, from = at;                                            \
    }                                                                                    \
    while (x[from] != best) from++;                                                      \
    return from;                                                                         \
  }                                                                                      \
                                                                                         \
  static void columns(real *restrict best, narrow *restrict at, const real *x, narrow n, \
                      int64_t step, int64_t m) {                                         \
    for (narrow i = 0; i < n; i++, x += step)                                            \
      for (int64_t k = 0; k < m; k++) {                                                  \
        bool better = ((x[k] op best[k]) | IS_NAN(x[k])) & !IS_NAN(best[k]);             \
        best[k] = better ? x[k] : best[k];                                               \
        at[k] = better ? i : at[k];                                                      \
      }                                                                                  \
  }

BOTH(highest, highest_place, highest_columns, >, max)
BOTH(lowest, lowest_place, lowest_columns, <, min)

static void row(const lar_extreme_job *j, int64_t r) {
  const real *x = (const real *)j->x + r * j->n;
  int64_t at = j->largest ? highest_place(x, j->n) : lowest_place(x, j->n);
  if (j->value != NULL) ((real *)j->value)[r] = x[at];
  if (j->place != NULL) j->place[r] = at + 1;
}

/* m columns, the first of which is row r of the result; so many rows at a time that their
 * places are narrow. */
static void columns(const lar_extreme_job *j, int64_t r, const real *x, int64_t step,
                    int64_t m) {
  const int64_t MOST = 1 << 30;
  real best[BLOCK];
  narrow at[BLOCK];
  int64_t place[BLOCK] = {0};
  for (int64_t k = 0; k < m; k++) best[k] = x[k];
  for (int64_t i = 0; i < j->n; i += MOST) {
    narrow n = (narrow)(j->n - i < MOST ? j->n - i : MOST);
    for (int64_t k = 0; k < m; k++) at[k] = -1;
    (j->largest ? highest_columns : lowest_columns)(best, at, x + i * step, n, step, m);
    for (int64_t k = 0; k < m; k++) place[k] = at[k] < 0 ? place[k] : i + at[k];
  }
  for (int64_t k = 0; j->value != NULL && k < m; k++) ((real *)j->value)[r + k] = best[k];
  for (int64_t k = 0; j->place != NULL && k < m; k++) j->place[r + k] = place[k] + 1;
}

/* Rows [begin, end) of one outer index, which are columns there. */
static void block(const lar_extreme_job *j, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; r += BLOCK) {
    const real *x = (const real *)j->x + (r / j->inner) * j->n * j->inner + r % j->inner;
    columns(j, r, x, j->inner, end - r < BLOCK ? end - r : BLOCK);
  }
}

/* Short rows side by side. */
static void short_rows(const lar_extreme_job *j, int64_t begin, int64_t end) {
  real turned[SHORT * ROWS];
  for (int64_t r = begin; r < end; r += ROWS) {
    int64_t m = end - r < ROWS ? end - r : ROWS;
    TURN(m, j->n, (char *)turned, ROWS, (const char *)j->x + r * j->n * (int64_t)sizeof(real),
         j->n);
    columns(j, r, turned, ROWS, m);
  }
}

void LAR_R(lar_extreme_rows)(void *ctx, int64_t begin, int64_t end) {
  const lar_extreme_job *j = ctx;
  if (j->inner == 1 && j->n <= SHORT) {
    short_rows(j, begin, end);
    return;
  }
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
