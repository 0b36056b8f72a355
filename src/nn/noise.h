/*
 * nn/noise - masks for the layers that draw in training, from the stream "dropout".
 */
#ifndef LAR_NN_NOISE_H
#define LAR_NN_NOISE_H

#include "nn/nn.h"
#include "op/random.h"

#define LAR_NOISE_STREAM "dropout"

/* x times 0 with probability p, 1 / (1 - p) else: one draw for each place of the first `lead`
 * dimensions, shared by the others. */
lar_var *lar_noise_drop(lar_scope *s, lar_var *x, double p, int lead);

#endif
