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
#include "kern/window.h"

typedef struct lar_conv {
  int64_t n, groups, c, o; /* samples, groups, channels in and out of a group */
  LAR_WINDOW;
  bool clip;           /* output: 0 for what is negative */
  bool pool;           /* output: of every window of 2 by 2 the largest alone */
  unsigned char *code; /* with it, like the output: where that is (kern/pool); or NULL */
  const void *sign;    /* input: 0 where this, which is like x, is not positive; or NULL */
} lar_conv;

/* May an output be pooled? Where windows are made side by side. */
bool lar_conv_pools(const lar_conv *v);

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
