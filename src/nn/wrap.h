/*
 * nn/wrap - layers around one layer whose weight they replace while its forward runs.
 */
#ifndef LAR_NN_WRAP_H
#define LAR_NN_WRAP_H

#include "nn/nn.h"

/* The only child's slot "weight"; NULL with a sentence when there is no such child or slot. */
lar_slot *lar_wrap_weight(const lar_module *m);

/* The child's forward with w as its weight. */
lar_var *lar_wrap_forward(lar_module *m, lar_scope *s, lar_var *x, lar_var *w);

lar_status lar_wrap_shape(const lar_module *m, int *ndim, int64_t *shape);

#endif
