/*
 * penalty/called - gradients of penalties that are written as functions, by plans.
 *
 * Floor:    penalty.
 * Contract: value and gradient at w, to the same bits whether the function ran or a plan did.
 *           A plan needs two traces in a row that agree, under one key (layout, strength, what
 *           the function reaches), and every so often the function is traced again.
 */
#ifndef LAR_PENALTY_CALLED_H
#define LAR_PENALTY_CALLED_H

#include "penalty/reg.h"

typedef struct lar_called lar_called;

/* *value = l Omega(w), g += its gradient; w and g are contiguous and of one dtype. *state is
 * made when it is NULL; state NULL: by the function. */
lar_status lar_called_gradient(lar_called **state, const lar_term *t, double l,
                               const lar_tensor *w, double *value, const lar_tensor *g);
void lar_called_free(lar_called *c);

#endif
