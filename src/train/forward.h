/*
 * train/forward - a forward pass with the penalties that look at it.
 *
 * Floor:    train.
 * Contract: prediction, loss, and the sum of the penalties of activations and derivatives
 *           (penalty/reg.h) as graph values, all owned by the scope. Layers are watched, x asks
 *           for a gradient and weights get noise only when a penalty says so. Recorded even
 *           where recording is off, if a penalty needs derivatives.
 */
#ifndef LAR_TRAIN_FORWARD_H
#define LAR_TRAIN_FORWARD_H

#include "nn/nn.h"
#include "penalty/reg.h"

typedef struct lar_forward {
  lar_module *model;
  lar_bound *bound;                                         /* NULL: no penalty */
  const lar_params *params;                                 /* those of the bound */
  lar_var *(*loss)(void *ctx, lar_scope *s, lar_var *pred); /* NULL: none */
  void *ctx;
  double *each; /* values of the bound's addends of the forward pass; NULL without bound */

  lar_var **term; /* the same as graph values; NULL: not wanted */

  lar_var *pred, *value, *penalty; /* value: of the loss; penalty NULL: there is none */
} lar_forward;

lar_status lar_forward_run(lar_forward *f, lar_scope *s, lar_var *x);

#endif
