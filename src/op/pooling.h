/*
 * op/pooling - what the ops of pooling share.
 *
 * The hidden ops max_pool, max_spread, max_pick, mean_pool and mean_spread carry the geometry
 * as integers and are each other's derivatives; the public ones read options and apply one.
 */
#ifndef LAR_OP_POOLING_H
#define LAR_OP_POOLING_H

#include "kern/pool.h"
#include "op/convolving.h"

/* What options say; a second of a pair that is negative is as the first, and so is a stride
 * that is negative as the kernel. */
typedef struct lar_pool_options {
  double kernel[2], stride[2], padding[2], dilation[2], ceil;
} lar_pool_options;

#define LAR_POOL_STRIDE_ROWS(at1, at2)                                                     \
  {"stride",    at1,     -1, 1, 1e9, "steps between windows; a number or {rows, columns}", \
   LAR_INTEGER, "kernel"},                                                                 \
  {                                                                                        \
    "stride2", at2, -1, -1, 1e9, "the second of them", LAR_INTEGER                         \
  }

#define LAR_CEIL_ROW(at)                                                                     \
  {                                                                                          \
    "ceil_mode", at, 0, 0, 1, "windows that begin in the plane and end beyond it count too", \
      LAR_FLAG                                                                               \
  }

/* Windows over v->size: fills kernel, stride, pad, dilation and out. */
lar_status lar_pool_measure(lar_pool *v, const lar_pool_options *o);

/* The kernel (or the sizes) among an op's integers: one or two. */
lar_status lar_pool_pair(const lar_attr *a, const char *what, double pair[2]);

/* Apply the hidden op to windows of a kernel, or to out[0] by out[1] of them that divide the
 * planes; with the messages of the public ones. */
lar_var *lar_pool_windows(lar_scope *s, const lar_op *op, const lar_pool_options *o,
                          bool count_pad, lar_var *x);
lar_var *lar_pool_parts(lar_scope *s, const lar_op *op, const double out[2], lar_var *x);

/* May a convolution of x by w take the largest of these windows over its output itself? */
bool lar_pool_by_conv(const lar_attr *pool, const lar_attr *conv, const lar_tensor *x,
                      const lar_tensor *w);

/* For forward of the hidden ops: a fresh output, of x's shape or of the windows', and the
 * inputs row-major in one dtype. */
typedef struct lar_pooling {
  lar_pool v;
  lar_dtype dtype;
  lar_tensor in[2];
} lar_pooling;
lar_status lar_pooling_init(lar_pooling *p, lar_io *io, bool spread);
void lar_pooling_clear(lar_pooling *p);

#endif
