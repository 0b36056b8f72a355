/*
 * kern/conv_winograd - kernels of 3 by 3 and stride 1 by the least number of products: 16 for
 * four outputs instead of 36.
 *
 * Outputs are made in squares of 2 by 2. The 4 by 4 inputs of each, d, and the kernel, w, are
 * transformed, multiplied point by point, summed over channels and transformed back,
 *   y = A' (sum (B' d B) . (G w G')) A,
 * so the products are 16 of matrices, (outputs, channels) by (channels, squares). Errors are a
 * few times those of plain sums, and what is not finite spreads over its squares.
 * Source: Winograd 1980, Arithmetic Complexity of Computations; Lavin & Gray 2016, CVPR.
 */
#ifndef LAR_KERN_CONV_WINOGRAD_H
#define LAR_KERN_CONV_WINOGRAD_H

#include "kern/conv_tile.h"
#include "kern/conv_work.h"

enum { POINTS = 16 };

/* How the rows of an image are cut into squares, and what room they take. */
typedef struct squares {
  lar_planes planes;
  int64_t rows, across; /* rows of squares at a time; squares to a row */
  int64_t room;         /* of one point and channel: whole registers, and one more */
} squares;

/* From one point to the next, for rows of so many reals a point: a register more, since steps
 * of 4096 bytes would fall on one another in the cache. */
static inline int64_t point_step(int64_t reals) { return reals + LANES; }

/* For `rows` rows of squares of v's output. */
void LAR_R(lar_squares_init)(squares *s, const lar_conv *v, int64_t rows);

/* Reals of scratch that lar_squares_make needs for images of so many channels. */
int64_t LAR_R(lar_squares_scratch)(const squares *s, int64_t channels);

/* The transforms of squares from row `row` of them on, of the `channels` images at x: points
 * of (channels, room) reals, somewhere in scratch. */
real *LAR_R(lar_squares_make)(const squares *s, int64_t channels, int64_t row, const void *x,
                              real *scratch);

#endif
