/*
 * nn/features - linear maps of the last dimension, as linear and drop_connect share them.
 */
#ifndef LAR_NN_FEATURES_H
#define LAR_NN_FEATURES_H

#include "nn/nn.h"

typedef struct lar_features {
  double inputs, outputs, bias;
} lar_features;

#define LAR_FEATURES_ROWS(type)                                                          \
  {"inputs", offsetof(type, f.inputs), 0, 1, 1e9, "input features", LAR_INTEGER},        \
    {"outputs", offsetof(type, f.outputs), 0, 1, 1e9, "output features", LAR_INTEGER}, { \
    "bias", offsetof(type, f.bias), 1, 0, 1, "with a bias", LAR_FLAG                     \
  }

/* Make "weight" (out, in) and "bias" (out): uniform in +-1/sqrt(in) unless m->init says
 * otherwise for the weight. */
lar_status lar_features_init(lar_module *m, const lar_features *f);

/* x w^T + b along the last dimension of x; b may be NULL. */
lar_var *lar_features_apply(lar_scope *s, const lar_features *f, lar_var *x, lar_var *w,
                            lar_var *b);

lar_status lar_features_shape(const lar_features *f, int *ndim, int64_t *shape);

#endif
