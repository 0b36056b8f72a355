/*
 * nn/convolving - what the convolution and pooling layers share.
 */
#ifndef LAR_NN_CONVOLVING_H
#define LAR_NN_CONVOLVING_H

#include "nn/nn.h"
#include "op/convolving.h"

typedef struct lar_conv_layer {
  double inputs, outputs, kernel[2], bias;
  lar_conv_options o;
} lar_conv_layer;

#define LAR_CONV_AT(member) offsetof(lar_conv_layer, member)
#define LAR_CHANNEL_ROWS                                                       \
  {"inputs", LAR_CONV_AT(inputs), 0, 1, 1e9, "input channels", LAR_INTEGER}, { \
    "outputs", LAR_CONV_AT(outputs), 0, 1, 1e9, "output channels", LAR_INTEGER \
  }
#define LAR_KERNEL_ROWS(at1, at2)                                                     \
  {                                                                                   \
    "kernel",   at1, 0, 1, 1e9, "rows and columns of the kernel; a number or a list", \
    LAR_INTEGER},                                                                     \
  {                                                                                   \
    "kernel2", at2, 0, 0, 1e9, "the second of them", LAR_INTEGER                      \
  }
#define LAR_CONV_BIAS_ROW \
  { "bias", LAR_CONV_AT(bias), 1, 0, 1, "with a bias", LAR_FLAG }

/* kernel[d], the second being as the first where it was not given. */
static inline int64_t lar_kernel_size(const double kernel[2], int d) {
  return (int64_t)(d == 1 && kernel[1] == 0 ? kernel[0] : kernel[d]);
}

/* Make "weight", of ndim dimensions, and "bias" of `outputs`: uniform in +-1/sqrt(fan_in)
 * unless m->init says otherwise for the weight. */
lar_status lar_conv_layer_init(lar_module *m, int ndim, const int64_t *shape, int64_t outputs);

/* Channels that the groups divide. */
lar_status lar_conv_layer_check(const lar_conv_layer *self);

/* Does x have `ndim` dimensions, with that many channels (0: any) in the second? Fails with a
 * sentence on what the layer takes. */
lar_status lar_conv_layer_takes(const lar_tensor *x, int ndim, const char *sizes,
                                double channels);

/* What layers of images have in common, given what measures their output and what convolves:
 * init, whose weight is (first, second / groups, rows, columns); forward; and shape. */
typedef lar_status lar_measure(const void *ctx, const int64_t from[2], int64_t to[2]);
typedef lar_var *lar_convolver(lar_scope *s, const lar_conv_options *o, lar_var *x, lar_var *w,
                               lar_var *b);
lar_status lar_conv2d_init(lar_module *m, lar_measure *measure, double first, double second);
lar_var *lar_conv2d_forward(lar_module *m, lar_scope *s, lar_var *x, lar_convolver *convolve);
lar_status lar_conv2d_shape(const lar_module *m, lar_measure *measure, int *ndim,
                            int64_t *sizes);

/* For shapes: make an unknown shape one of ndim unknown sizes; refuse another number. */
lar_status lar_images_shape(const lar_module *m, int want, int *ndim, int64_t *shape);

/* Sizes of the output by `measure`, which fills to[2] from from[2]; unknown ones stay so. */
lar_status lar_measure_shape(lar_measure *measure, const void *ctx, int64_t sizes[2]);

#endif
