/*
 * kern/conv_work - what the files of kern/conv share: padded planes, scratch, pieces of work.
 *
 * A convolution is a sum of shifted planes: with x copied into padded planes of `width`
 * columns, one for each phase of the stride, the term of channel c and tap (a, b) is found at
 * a fixed distance `off` from the place that is written. So the loops are products of matrices
 * whose second factor is never made: its rows are overlapping parts of the planes.
 */
#ifndef LAR_KERN_CONV_WORK_H
#define LAR_KERN_CONV_WORK_H

#include <stdatomic.h>

#include "core/par.h"
#include "kern/conv.h"

/* ---- scratch: a slot for each thread that may run ---- */

typedef struct lar_scratch {
  void *data;
  size_t bytes; /* of a slot */
  int slots;
  atomic_int *taken;
} lar_scratch;

lar_status lar_scratch_init(lar_scratch *s, size_t bytes);
void lar_scratch_clear(lar_scratch *s);
void *lar_scratch_take(lar_scratch *s, int *slot);
void lar_scratch_give(lar_scratch *s, int slot);

/* ---- planes ---- */

/* How rows and columns of planes are taken from an image: in direction d, element q of phase
 * p is the image's element q stride + p gap - pad. */
typedef struct lar_planes {
  int64_t size[2], stride[2], gap[2], phases[2], pad[2];
  int64_t rows, width; /* of each plane */
} lar_planes;

/* Elements of the planes of `channels` images; beyond them tiles read LAR_PLANES_SLACK more. */
int64_t lar_planes_count(const lar_planes *p, int64_t channels);
enum { LAR_PLANES_SLACK = 64 };

/* Copy rows from `row` on of `channels` images at x into planes, channel by channel, phase by
 * phase; the slack becomes 0. */
void lar_planes_fill_f32(const lar_planes *p, int64_t channels, int64_t row, const void *x,
                         void *to);
void lar_planes_fill_f64(const lar_planes *p, int64_t channels, int64_t row, const void *x,
                         void *to);

/* The planes of v's input that `rows` rows of output read, and where the terms are in them:
 * off[(c kernel[0] + a) kernel[1] + b], for c < channels. */
void lar_conv_planes(const lar_conv *v, int64_t rows, lar_planes *p);
void lar_conv_offsets(const lar_conv *v, const lar_planes *p, int64_t channels, int64_t *off);

/* ---- pieces of work ---- */

/* Rows to a piece, of `rows`: as many as keep `bytes` a row in the second cache, and fewer
 * where the `others` pieces that there are anyway would not occupy all threads. */
int64_t lar_conv_rows(int64_t rows, int64_t bytes, int64_t others);

/* Pieces of `work` multiplications each to a chunk (core/par.h). */
int64_t lar_conv_grain(int64_t work);

/* The same pieces to all threads: large ones as threads become free, and then LAR_CONV_PIECES
 * are enough. */
enum { LAR_CONV_PIECES = 8 };
void lar_conv_run(int64_t pieces, int64_t work, lar_par_body *body, void *ctx);

static inline int64_t lar_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* ---- for each dtype ---- */

/* x[i] = 0 where sign[i] is not positive. */
void lar_conv_sign_f32(int64_t n, float *x, const float *sign);
void lar_conv_sign_f64(int64_t n, double *x, const double *sign);

/* Those of kern/conv, and where lar_conv_few says so, by fewer products (kern/conv_winograd).
 */
#define LAR_CONV_TYPED(s)                                                                      \
  lar_status lar_conv_output_##s(const lar_conv *v, void *y, const void *x, const void *w,     \
                                 const void *bias);                                            \
  lar_status lar_conv_input_##s(const lar_conv *v, void *x, const void *g, const void *w);     \
  lar_status lar_conv_weight_##s(const lar_conv *v, void *w, const void *x, const void *g);    \
  lar_status lar_winograd_output_##s(const lar_conv *v, void *y, const void *x, const void *w, \
                                     const void *bias);                                        \
  lar_status lar_winograd_input_##s(const lar_conv *v, void *x, const void *g, const void *w); \
  lar_status lar_winograd_weight_##s(const lar_conv *v, void *w, const void *x, const void *g)
LAR_CONV_TYPED(f32);
LAR_CONV_TYPED(f64);

#endif
