/*
 * grad/outputs - the outputs of a model's layers in one forward pass, as penalties see them.
 *
 * Floor:    grad.
 * Contract: a list of counted values in the order in which the layers finish; names are whole
 *           ("2", "3.1"; the model itself: ""). A layer that runs twice is listed twice.
 */
#ifndef LAR_GRAD_OUTPUTS_H
#define LAR_GRAD_OUTPUTS_H

#include "op/op.h"

typedef struct lar_output {
  char *name;
  const char *kind; /* of the layer: "relu"; lives as long as the layer */
  bool container, activation;
  lar_var *var;
} lar_output;

typedef struct lar_outputs {
  int n;
  size_t cap;
  lar_output *at;
} lar_outputs;

/* Append an output (new references, a copy of the name). */
lar_status lar_outputs_add(lar_outputs *o, const lar_output *like);
void lar_outputs_clear(lar_outputs *o);

/* "1 (linear), 2 (relu), ..." for messages; lists at most what fits. */
const char *lar_outputs_text(const lar_outputs *o);

#endif
