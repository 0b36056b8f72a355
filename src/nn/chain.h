/*
 * nn/chain - modules one after the other, as sequential and residual share them.
 */
#ifndef LAR_NN_CHAIN_H
#define LAR_NN_CHAIN_H

#include "nn/nn.h"

lar_var *lar_chain_forward(lar_module *m, lar_scope *s, lar_var *x);
lar_status lar_chain_shape(const lar_module *m, int *ndim, int64_t *shape);

#endif
