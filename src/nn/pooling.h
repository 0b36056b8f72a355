/*
 * nn/pooling - what the pooling layers share: those of windows, and those that divide images.
 */
#ifndef LAR_NN_POOLING_H
#define LAR_NN_POOLING_H

#include "nn/convolving.h"
#include "op/pooling.h"

/* Windows of a kernel. */
typedef struct lar_pool_layer {
  lar_pool_options o;
  double count_pad;
} lar_pool_layer;

#define LAR_POOL_AT(member) offsetof(lar_pool_layer, member)
#define LAR_POOL_ROWS                                                         \
  LAR_KERNEL_ROWS(LAR_POOL_AT(o.kernel[0]), LAR_POOL_AT(o.kernel[1])),        \
    LAR_POOL_STRIDE_ROWS(LAR_POOL_AT(o.stride[0]), LAR_POOL_AT(o.stride[1])), \
    LAR_PADDING_ROWS(LAR_POOL_AT(o.padding[0]), LAR_POOL_AT(o.padding[1]), NULL)

lar_status lar_pool_layer_init(lar_module *m);
lar_status lar_pool_layer_shape(const lar_module *m, int *ndim, int64_t *sizes);
lar_var *lar_pool_layer_forward(lar_module *m, lar_scope *s, lar_var *x, const lar_op *op);

/* As many parts as the layer has rows and columns. */
typedef struct lar_parts_layer {
  double size[2];
} lar_parts_layer;

#define LAR_PARTS_ROWS                                                                        \
  {"size",     offsetof(lar_parts_layer, size[0]),                                            \
   0,          1,                                                                             \
   1e9,        "rows and columns of the output; a number or a list",                          \
   LAR_INTEGER},                                                                              \
  {                                                                                           \
    "size2", offsetof(lar_parts_layer, size[1]), 0, 0, 1e9, "the second of them", LAR_INTEGER \
  }

lar_status lar_parts_layer_shape(const lar_module *m, int *ndim, int64_t *sizes);
lar_var *lar_parts_layer_forward(lar_module *m, lar_scope *s, lar_var *x, const lar_op *op);

#endif
