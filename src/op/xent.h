/*
 * op/xent - what cross_entropy and its slope share.
 */
#ifndef LAR_OP_XENT_H
#define LAR_OP_XENT_H

#include "op/op.h"

/* -log softmax(x)_y into io->out[0] (n); with g (n), its slope times g (n, k). */
lar_status lar_xent_forward(lar_io *io, const lar_tensor *g);

#endif
