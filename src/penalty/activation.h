/*
 * penalty/activation - sums over the outputs of layers that a penalty sees.
 *
 * Floor:    penalty.
 */
#ifndef LAR_PENALTY_ACTIVATION_H
#define LAR_PENALTY_ACTIVATION_H

#include "op/calc.h"
#include "penalty/penalty.h"

/* Samples in the pass. */
static inline double lar_pass_rows(const lar_pass *pass) {
  return pass->x->t.ndim > 0 ? (double)pass->x->t.shape[0] : 1;
}

/* The sum over layers of f(output). */
static inline lar_var *lar_pass_sum(const void *self, lar_scope *s, const lar_pass *pass,
                                    lar_var *(*f)(const void *, lar_scope *, lar_var *)) {
  lar_var *sum = NULL;
  for (int k = 0; k < pass->n; k++) {
    lar_var *v = f(self, s, pass->at[k]->var);
    sum = sum != NULL ? lar_add(s, sum, v) : v;
  }
  return sum;
}

#endif
