/* The products of kern/conv_tile. */
#include "kern/conv_tile.h"

#include "core/real.h"

/* ---- packing ---- */

void LAR_R(lar_conv_pack)(real *a, const real *w, int64_t m, int64_t stride, int64_t k,
                          const int64_t *term) {
  for (int64_t from = 0; from < m; from += PANEL) {
    int64_t rows = m - from < PANEL ? m - from : PANEL;
    for (int64_t t = 0; t < k; t++)
      for (int64_t i = 0; i < rows; i++) *a++ = w[(from + i) * stride + term[t]];
  }
}

/* ---- tiles ---- */

typedef struct terms {
  int64_t k;
  const real *a;
  const int64_t *off;
  const real *x, *bias;
  bool clip;
  real *out;
} terms;

/* m outputs by n registers, both constants where it is called. */
ALWAYS void sum_tile(int m, int n, const terms *s) {
  vec acc[PANEL][TILE_VECS];
  const real *a = s->a;
  for (int i = 0; i < m; i++)
    for (int j = 0; j < n; j++) acc[i][j] = vec_all(s->bias != NULL ? s->bias[i] : 0);
  for (int64_t k = 0; k < s->k; k++, a += m) {
    const real *from = s->x + s->off[k];
    vec x[TILE_VECS];
    for (int j = 0; j < n; j++) x[j] = vec_load(from + j * LANES);
    for (int i = 0; i < m; i++) {
      vec w = vec_all(a[i]);
      for (int j = 0; j < n; j++) acc[i][j] += w * x[j];
    }
  }
  for (int i = 0; i < m; i++)
    for (int j = 0; j < n; j++)
      vec_store(s->out + i * TILE + j * LANES, s->clip ? vec_clip(acc[i][j]) : acc[i][j]);
}

typedef void tile_fn(const terms *s);
#define TILE_FN(m, n) \
  static void tile_##m##_##n(const terms *s) { sum_tile(m, n, s); }
#define TILE_FNS(m) TILE_FN(m, 1) TILE_FN(m, 2) TILE_FN(m, 3)
#define TILE_ROW(m) \
  { tile_##m##_1, tile_##m##_2, tile_##m##_3 }
/* clang-format off */
TILE_FNS(1) TILE_FNS(2) TILE_FNS(3) TILE_FNS(4)
#if LAR_VEC_MANY
TILE_FNS(5) TILE_FNS(6) TILE_FNS(7) TILE_FNS(8)
#endif
static tile_fn *const tiles[PANEL][TILE_VECS] = {
  TILE_ROW(1), TILE_ROW(2), TILE_ROW(3), TILE_ROW(4),
#if LAR_VEC_MANY
  TILE_ROW(5), TILE_ROW(6), TILE_ROW(7), TILE_ROW(8),
#endif
};
/* clang-format on */

void LAR_R(lar_conv_tile)(int64_t m, int64_t n, int64_t k, const real *a, const int64_t *off,
                          const real *x, const real *bias, bool clip, real *out) {
  const terms s = {k, a, off, x, bias, clip, out};
  tiles[m - 1][(n + LANES - 1) / LANES - 1](&s);
}

/* ---- products ---- */

/* A tile of these is some terms by up to VECS registers of outputs; terms for each number of
 * registers. */
enum { VECS = LAR_VEC_MANY ? 4 : 3, TERMS1 = 12, TERMS2 = LAR_VEC_MANY ? 12 : 6 };
enum { TERMS3 = LAR_VEC_MANY ? 8 : 4, TERMS4 = 6, TERMS = 12 };

/* `m` terms from `first` on (those past the last are made and left) by n registers. */
ALWAYS void product_tile(int m, int n, const product *p, int64_t first, const real *g,
                         real *sum) {
  vec acc[TERMS][VECS];
  const real *x[TERMS];
  for (int i = 0; i < m; i++) {
    x[i] = p->x + p->off[first + i < p->k ? first + i : p->k - 1];
    for (int j = 0; j < n; j++) acc[i][j] = (vec){0};
  }
  for (int64_t r = 0; r < p->rows; r++)
    for (int64_t q = 0, at = r * p->width; q < p->cols; q++, at += p->step, g += p->pitch) {
      vec y[VECS];
      for (int j = 0; j < n; j++) y[j] = vec_load(g + j * LANES);
      for (int i = 0; i < m; i++) {
        vec w = vec_all(x[i][at]);
        for (int j = 0; j < n; j++) acc[i][j] += w * y[j];
      }
    }
  for (int i = 0; i < m && first + i < p->k; i++)
    for (int j = 0; j < n; j++) {
      real *to = sum + (first + i) * p->o + j * LANES;
      vec_store(to, p->add ? vec_load(to) + acc[i][j] : acc[i][j]);
    }
}

#define PRODUCT_FN(n)                                              \
  static void product_##n(const product *p, int64_t from) {        \
    for (int64_t k = 0; k < p->k; k += TERMS##n)                   \
      product_tile(TERMS##n, n, p, k, p->g + from, p->sum + from); \
  }
PRODUCT_FN(1)
PRODUCT_FN(2)
PRODUCT_FN(3)
#if LAR_VEC_MANY
PRODUCT_FN(4)
#endif

void LAR_R(lar_conv_product)(const product *p) {
  static void (*const some[])(const product *, int64_t) = {
    product_1,
    product_2,
    product_3,
#if LAR_VEC_MANY
    product_4
#endif
  };
  for (int64_t from = 0; from < p->o; from += VECS * LANES) {
    int64_t left = (p->o - from) / LANES;
    some[(left < VECS ? left : VECS) - 1](p, from);
  }
}

/* ---- turning ---- */

/* Rows of planes are far apart: memory is asked for so many squares before they are turned. */
enum { AHEAD = 2 };

/* Outputs that fill no register, or places that fill none, go one by one; of the places that
 * are left over, the last square takes some that were done before. */
void LAR_R(lar_conv_turn)(int64_t n, int64_t outputs, const real *g, int64_t area,
                          int64_t lanes, real *to) {
  int64_t o = 0;
  for (; n >= LANES && o + LANES <= outputs; o += LANES)
    for (int64_t p = 0; p < n; p += LANES) {
      int64_t at = p + LANES <= n ? p : n - LANES;
      for (int i = 0; i < LANES; i++)
        __builtin_prefetch(g + (o + i) * area + at + AHEAD * LANES);
      vec_turn(g + o * area + at, area, to + at * lanes + o, lanes);
    }
  for (int64_t p = 0; p < n && o < lanes; p++)
    for (int64_t i = o; i < lanes; i++) to[p * lanes + i] = i < outputs ? g[i * area + p] : 0;
}

void LAR_R(lar_conv_unturn)(int64_t n, int64_t outputs, const real *y, int64_t lanes,
                            int64_t area, real *to) {
  int64_t o = 0;
  for (; n >= LANES && o + LANES <= outputs; o += LANES)
    for (int64_t p = 0; p < n; p += LANES) {
      int64_t at = p + LANES <= n ? p : n - LANES;
      for (int i = 0; i < LANES; i++)
        __builtin_prefetch(to + (o + i) * area + at + AHEAD * LANES, 1);
      vec_turn(y + at * lanes + o, lanes, to + o * area + at, area);
    }
  for (; o < outputs; o++)
    for (int64_t p = 0; p < n; p++) to[o * area + p] = y[p * lanes + o];
}
