/* A tile of c is as many sums as registers hold: lanes run along rows, which lie side by side,
 * and are added up when a panel of rows is through. Nothing is copied. */
#include "kern/gram.h"

#include "kern/conv_vec.h"

/* Columns of a tile, and rows of a panel: few enough that all its columns stay in the cache. */
enum { SIDE = LAR_VEC_MANY ? 5 : 3, AREA = SIDE * SIDE, PANEL = 512 };
enum { GROUPS = (AREA + LANES - 1) / LANES };

/* Columns beyond the last are the last again: their sums are not used. */
typedef struct strip {
  const double *at[SIDE];
  int count;
} strip;

static strip strip_of(const double *a, int64_t lda, int64_t from, int64_t m) {
  strip s = {.count = m - from < SIDE ? (int)(m - from) : SIDE};
  for (int k = 0; k < SIDE; k++) s.at[k] = a + (from + (k < s.count ? k : s.count - 1)) * lda;
  return s;
}

ALWAYS void step(vec acc[AREA], const double *const a[SIDE], const double *const b[SIDE],
                 int64_t row) {
  vec x[SIDE];
  for (int i = 0; i < SIDE; i++) x[i] = vec_load(a[i] + row);
  for (int j = 0; j < SIDE; j++) {
    vec y = vec_load(b[j] + row);
    for (int i = 0; i < SIDE; i++) acc[j * SIDE + i] += x[i] * y;
  }
}

/* The last rows, fewer than a register holds, followed by zeros. */
static void step_last(vec acc[AREA], const strip *a, const strip *b, int64_t from, int64_t n) {
  double x[SIDE][LANES] = {0}, y[SIDE][LANES] = {0};
  const double *px[SIDE], *py[SIDE];
  for (int k = 0; k < SIDE; k++) {
    for (int64_t i = from; i < n; i++)
      x[k][i - from] = a->at[k][i], y[k][i - from] = b->at[k][i];
    px[k] = x[k], py[k] = y[k];
  }
  step(acc, px, py, 0);
}

/* The sums of `count` registers: neighbours are added up until one is left. */
ALWAYS vec sums(const vec *from, int count) {
  vec v[LANES];
  for (int k = 0; k < LANES; k++) v[k] = k < count ? from[k] : (vec){0};
  for (int half = LANES / 2; half >= 1; half /= 2)
    for (int k = 0; k < half; k++)
      v[k] = vec_even(v[2 * k], v[2 * k + 1]) + vec_odd(v[2 * k], v[2 * k + 1]);
  return v[0];
}

static void tile(int64_t n, const strip *a, const strip *b, double *c, int64_t ldc) {
  vec acc[AREA];
  double out[GROUPS * LANES];
  int64_t row = 0;
  for (int k = 0; k < AREA; k++) acc[k] = (vec){0};
  for (; row + LANES <= n; row += LANES) step(acc, a->at, b->at, row);
  if (row < n) step_last(acc, a, b, row, n);
#pragma GCC unroll 16
  for (int g = 0; g < GROUPS; g++)
    vec_store(out + g * LANES, sums(acc + g * LANES, AREA - g * LANES));
  for (int j = 0; j < b->count; j++)
    for (int i = 0; i < a->count; i++) c[j * ldc + i] += out[j * SIDE + i];
}

bool lar_gram_pays(int64_t m, int64_t k) {
  const int64_t most = LAR_VEC_MANY ? 320 : 24, few = 2 * SIDE;
  return k >= SIDE && m >= SIDE && (k <= few || (m <= most && k <= most));
}

void lar_gram_cross(int64_t n, int64_t m, int64_t k, const double *a, int64_t lda,
                    const double *b, int64_t ldb, double *c, int64_t ldc) {
  for (int64_t row = 0; row < n; row += PANEL) {
    int64_t rows = n - row < PANEL ? n - row : PANEL;
    for (int64_t j = 0; j < k; j += SIDE) {
      const strip right = strip_of(b + row, ldb, j, k);
      for (int64_t i = 0; i < m; i += SIDE) {
        const strip left = strip_of(a + row, lda, i, m);
        tile(rows, &left, &right, c + j * ldc + i, ldc);
      }
    }
  }
}

void lar_gram_square(int64_t n, int64_t m, const double *a, int64_t lda, double *c,
                     int64_t ldc) {
  for (int64_t row = 0; row < n; row += PANEL) {
    int64_t rows = n - row < PANEL ? n - row : PANEL;
    for (int64_t j = 0; j < m; j += SIDE) {
      const strip right = strip_of(a + row, lda, j, m);
      for (int64_t i = j; i < m; i += SIDE) {
        const strip left = strip_of(a + row, lda, i, m);
        tile(rows, &left, &right, c + j * ldc + i, ldc);
      }
    }
  }
}
