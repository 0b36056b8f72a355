/*
 * op/convolving - what the ops of convolution share: their options and their geometry.
 *
 * Three hidden ops, conv, conv_input and conv_weight, are the derivatives of one trilinear
 * form (kern/conv) and so of each other; they carry the geometry as integers. The public ones
 * read options, check shapes and apply one of these.
 */
#ifndef LAR_OP_CONVOLVING_H
#define LAR_OP_CONVOLVING_H

#include "kern/conv.h"
#include "op/calc.h"

/* Options of a convolution in two directions, as schemas hold them: a second of a pair that is
 * negative is as the first. */
typedef struct lar_conv_options {
  double stride[2], padding[2], dilation[2], extra[2], groups;
  double ceil; /* windows that begin in the plane and end beyond it count too */
} lar_conv_options;

/* Values of `padding` that are words. */
enum { LAR_PAD_SAME = -1, LAR_PAD_VALID = -2 };
#define LAR_PADDINGS "same|valid"

/* Rows of a schema whose pairs are members of a struct, or places of an op's attributes. */
#define LAR_STRIDE_ROWS(at1, at2)                                                     \
  {                                                                                   \
    "stride",   at1, 1, 1, 1e9, "steps between outputs; a number or {rows, columns}", \
    LAR_INTEGER},                                                                     \
  {                                                                                   \
    "stride2", at2, -1, -1, 1e9, "the second of them", LAR_INTEGER                    \
  }
#define LAR_PADDING_ROWS(at1, at2, words)                                           \
  {"padding",   at1,  0, 0, 1e9, "zeros on each side; a number or {rows, columns}", \
   LAR_INTEGER, words},                                                             \
  {                                                                                 \
    "padding2", at2, -1, -1, 1e9, "the second of them", LAR_INTEGER                 \
  }
#define LAR_DILATION_ROWS(at1, at2)                                                             \
  {"dilation", at1, 1, 1, 1e9, "steps between taps; a number or {rows, columns}", LAR_INTEGER}, \
  {                                                                                             \
    "dilation2", at2, -1, -1, 1e9, "the second of them", LAR_INTEGER                            \
  }
#define LAR_EXTRA_ROWS(at1, at2)                                           \
  {"output_padding",                                                       \
   at1,                                                                    \
   0,                                                                      \
   0,                                                                      \
   1e9,                                                                    \
   "rows and columns added at the end, fewer than stride or dilation",     \
   LAR_INTEGER},                                                           \
  {                                                                        \
    "output_padding2", at2, -1, -1, 1e9, "the second of them", LAR_INTEGER \
  }
#define LAR_GROUPS_ROW(at) \
  { "groups", at, 1, 1, 1e9, "groups of channels that do not meet", LAR_INTEGER }

/* The d-th of a pair. */
int64_t lar_window_pick(const double pair[2], int d);

/* Sizes and steps from options, for images of v->size and kernels of v->kernel: fills stride,
 * dilation, pad and out. Rows, columns and kernels are at least 1. */
lar_status lar_conv_measure(lar_conv *v, const lar_conv_options *o);

/* The geometry as attributes of a hidden op, and back; n, c and o are the tensors'. */
void lar_conv_attr(lar_attr *a, const lar_conv *v);
void lar_conv_geometry(lar_conv *v, const lar_attr *a);

/* The integers of a hidden op of windows, convolved or pooled: the windows first, then one of
 * its own, and what a plan asks of it besides. */
enum {
  LAR_WINDOW_OWN = sizeof(lar_window) / sizeof(int64_t),
  LAR_WINDOW_CLIP,
  LAR_WINDOW_POOL,
  LAR_WINDOW_INTS
};
enum { LAR_POOL_PLAIN = 1, LAR_POOL_CODES }; /* there, for conv: with where they are */
void lar_window_attr(lar_attr *a, const lar_window *w, int64_t own);
void lar_window_read(lar_window *w, const lar_attr *a);

/* conv2d of values, with its messages; b may be NULL. */
lar_var *lar_convolve(lar_scope *s, const lar_conv_options *o, lar_var *x, lar_var *w,
                      lar_var *b);

/* The same for conv_transpose2d. */
lar_var *lar_convolve_back(lar_scope *s, const lar_conv_options *o, lar_var *x, lar_var *w,
                           lar_var *b);

/* Rows and columns that come out of a transposed convolution of v->out: fills stride, pad,
 * dilation and size. */
lar_status lar_conv_measure_back(lar_conv *v, const lar_conv_options *o);

/* Forward of a hidden op: both inputs (of shapes that fit) in one dtype and row-major, a fresh
 * output of four dimensions, then the kernel. */
typedef lar_status lar_conv_kernel(const lar_conv *v, lar_dtype t, void *out, const void *a,
                                   const void *b);
lar_status lar_conv_apply(lar_io *io, const lar_conv *v, const int64_t shape[4],
                          lar_conv_kernel *kernel);

#endif
