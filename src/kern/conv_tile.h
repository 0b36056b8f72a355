/*
 * kern/conv_tile - the two products that all loops of kern/conv come down to.
 */
#ifndef LAR_KERN_CONV_TILE_H
#define LAR_KERN_CONV_TILE_H

#include "kern/conv_vec.h"

/* n in whole registers. */
static inline int64_t lanes_of(int64_t n) { return (n + LANES - 1) / LANES * LANES; }

/* A tile is PANEL outputs by TILE places. */
enum { PANEL = LAR_VEC_MANY ? 8 : 4, TILE_VECS = 3, TILE = TILE_VECS * LANES };

/* out[i, p] = bias[i] + sum over terms t < k of a[t, i] x[off[t] + p] for i < m and p < n (and
 * on to whole registers); m is at most PANEL, n at most TILE. Rows of out lie TILE apart, terms
 * of a lie m apart; bias may be NULL. Where `clip` says so, 0 for what is negative. */
void LAR_R(lar_conv_tile)(int64_t m, int64_t n, int64_t k, const real *a, const int64_t *off,
                          const real *x, const real *bias, bool clip, real *out);

/* a[t, i] = w[i stride + term[t]] for i < m and t < k, in panels of PANEL i (the last of what
 * is left). */
void LAR_R(lar_conv_pack)(real *a, const real *w, int64_t m, int64_t stride, int64_t k,
                          const int64_t *term);

/* sum[t, o] += sum over rows r and columns q of x[off[t] + r width + q step] g[r, q, o]; rows
 * of g lie `pitch` apart, those of sum `o`. Without `add`, sum is written anew. */
typedef struct product {
  int64_t k, o; /* terms; outputs, padded to whole registers */
  const int64_t *off;
  const real *x, *g;
  int64_t width, step, pitch, rows, cols;
  real *sum;
  bool add;
} product;
void LAR_R(lar_conv_product)(const product *p);

/* to[p, o] = g[o, p] for o < outputs, 0 for o up to `lanes`; p < n. Outputs lie `area` apart.
 */
void LAR_R(lar_conv_turn)(int64_t n, int64_t outputs, const real *g, int64_t area,
                          int64_t lanes, real *to);

/* The reverse: to[o, p] = y[p, o]. */
void LAR_R(lar_conv_unturn)(int64_t n, int64_t outputs, const real *y, int64_t lanes,
                            int64_t area, real *to);

#endif
