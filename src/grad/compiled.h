/*
 * grad/compiled - plans as functions of tensors, with derivatives.
 *
 * Floor:    grad.
 * Contract: made from a trace of a function of the inputs; called, it gives what the function
 *           gives, bit for bit, and where that asks for gradients its results have a history:
 *           their derivative is the second part of the plan. It can be taken once (not of
 *           itself), at any time: when another call has run meanwhile, the forward pass runs
 *           again first, with the noise it had.
 */
#ifndef LAR_GRAD_COMPILED_H
#define LAR_GRAD_COMPILED_H

#include "grad/plan.h"

typedef struct lar_compiled lar_compiled; /* counted */

/* For an open trace, after the function has run: note its results, and where they ask for it
 * their derivatives by the inputs and the leaves it found. out[k] becomes a new reference: to a
 * copy where the result is an input or a tensor from outside, as plans give it. */
lar_status lar_compiled_note(lar_trace *t, int nin, lar_var *const *alias, int nout,
                             lar_var **out);

/* From that trace, ended. */
lar_status lar_compiled_new(lar_compiled **out, const lar_trace *t, int nin);
void lar_compiled_unref(lar_compiled *c);
lar_plan *lar_compiled_plan(const lar_compiled *c);

/* Inputs of the layout that was traced; out[0..lar_compiled_results) are new references. */
int lar_compiled_results(const lar_compiled *c);
lar_status lar_compiled_call(lar_compiled *c, lar_var *const *in, lar_var **out);

#endif
