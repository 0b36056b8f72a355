/*
 * kern/conv_winograd - kernels of 3 by 3 and stride 1 by the least number of products.
 *
 * Outputs are made in squares of SQUARE by SQUARE: of 4 by 4 in float32, 36 products where
 * plain sums take 144, of 2 by 2 in float64, 16 for 36. The EDGE by EDGE inputs of each, d, and
 * the kernel, w, are transformed, multiplied point by point, summed over channels and
 * transformed back,
 *   y = A' (sum (B' d B) . (G w G')) A,
 * so the products are POINTS of matrices, (squares, channels) by (channels, outputs). The
 * points are 0, 1, -1 and infinity, or 0, +-sqrt(1/2), +-sqrt(2) and infinity, which keeps the
 * factors near 1: errors are about twice those of plain sums, in float32 some 1e-6 of what is
 * typical of y. What is not finite spreads over its squares.
 * Source: Winograd 1980, Arithmetic Complexity of Computations; Lavin & Gray 2016, CVPR.
 */
#ifndef LAR_KERN_CONV_WINOGRAD_H
#define LAR_KERN_CONV_WINOGRAD_H

#include "kern/conv_tile.h"
#include "kern/conv_work.h"

#ifdef LAR_REAL_F32
enum { SQUARE = 4 };
#else
enum { SQUARE = 2 };
#endif
enum { EDGE = SQUARE + 2, POINTS = EDGE * EDGE };

/* Outputs are made, at most, so many at a time: what one tile of a product holds. */
enum { BLOCK = 4 * LANES };

static inline int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* How images are cut into squares. Rows of squares are counted on from image to image. */
typedef struct squares {
  int64_t size[2], pad[2]; /* of an image */
  int64_t down, across;    /* squares to an image */
  int64_t channels, lanes; /* lanes: channels in whole registers */
  int64_t next;            /* reals from one image to the next */
  bool slopes;             /* SQUARE by SQUARE taken of each, not EDGE by EDGE */
} squares;

/* As many rows of squares as make about `count` of them: whole images where they are small. */
int64_t LAR_R(lar_squares_rows)(const squares *s, int64_t count);

/* From one point to the next, for `count` squares of so many lanes: a register more, since
 * steps of 4096 bytes would fall on one another in the cache. */
static inline int64_t point_step(int64_t count, int64_t lanes) { return (count + 1) * lanes; }

/* Reals of scratch that lar_squares_make needs besides its points, for `rows` rows. */
int64_t LAR_R(lar_squares_scratch)(const squares *s, int64_t rows);

/* The transforms of `rows` rows of squares of the images at x, from row `row` on: for each
 * point, `step` apart, (squares, lanes). */
void LAR_R(lar_squares_make)(const squares *s, const real *x, int64_t row, int64_t rows,
                             real *scratch, real *points, int64_t step);

/* G w G' of a register of kernels, w[9], to points `step` apart; and its adjoint. */
void LAR_R(lar_kernel_points)(const real *w, real *to, int64_t step);
void LAR_R(lar_kernel_back)(const real *u, int64_t step, real *w);

/* A' m A of a register of outputs, from points `step` apart, with their bias added and, where
 * `clip` says so, 0 for what is negative: y[SQUARE * SQUARE]. */
void LAR_R(lar_square_back)(const real *m, int64_t step, const real *bias, bool clip, real *y);

/* B m B' of a register, the transposed of what is done to inputs, added to rows of places
 * `row` reals apart, neighbours `column` apart: those from from[] to end[] of EDGE by EDGE. */
void LAR_R(lar_square_add)(const real *m, int64_t step, const int64_t from[2],
                           const int64_t end[2], int64_t row, int64_t column, real *y);

/* Where squares of an image go: `outputs` planes of y, from number `first` on. */
typedef struct put {
  const lar_conv *v;
  const squares *s;
  int64_t first, outputs, width, step; /* width: in whole registers; step: between points */
  const real *bias;
  real *scratch; /* rows of the image, turned */
} put;

/* Rows `row` to row + n of squares, from their sums: what v says, or, added up, whole images.
 */
void LAR_R(lar_squares_put)(const put *p, const real *sums, int64_t row, int64_t n, real *y);
void LAR_R(lar_squares_add)(const put *p, const real *sums, int64_t row, int64_t n, real *y);

#endif
