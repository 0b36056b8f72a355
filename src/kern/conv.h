/*
 * kern/conv - convolution of planes, and the two products that differentiate it.
 *
 * Floor:    kern. All tensors are row-major: x (n, groups c, size), w (groups o, c, kernel),
 *           y and g (n, groups o, out), planes being rows by columns. The three functions are
 *           the derivatives of one trilinear form,
 *             sum x[n, c, r stride + a dilation - pad] w[o, c, a] g[n, o, r],
 *           x being 0 outside its planes, with respect to g, x and w.
 * Contract: the padded input is copied a few rows at a time into a scratch of some hundred
 *           kilobytes a thread; the matrix of patches (im2col) is never made. The order of
 *           every sum depends on the sizes alone: the same bits for any number of threads.
 */
#ifndef LAR_KERN_CONV_H
#define LAR_KERN_CONV_H

#include "core/tensor.h"

typedef struct lar_conv {
  int64_t n, groups, c, o;                /* samples, groups, channels in and out of a group */
  int64_t size[2], out[2], kernel[2];     /* rows and columns */
  int64_t stride[2], pad[2], dilation[2]; /* pad: before the first row and column */
  bool clip;                              /* output: 0 for what is negative */
} lar_conv;

/* y = x * w + bias; bias (groups o) may be NULL. */
lar_status lar_conv_output(const lar_conv *v, lar_dtype t, void *y, const void *x,
                           const void *w, const void *bias);

/* x = the derivative with respect to x: the transposed convolution of g. */
lar_status lar_conv_input(const lar_conv *v, lar_dtype t, void *x, const void *g,
                          const void *w);

/* w = the derivative with respect to w. */
lar_status lar_conv_weight(const lar_conv *v, lar_dtype t, void *w, const void *x,
                           const void *g);

#endif
