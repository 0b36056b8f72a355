/*
 * train/steps - loss and gradients of one batch: op by op, or by a plan.
 *
 * Floor:    train.
 * Contract: the first batches of a kind (shapes, dtypes, settings of layers, loss and
 *           penalties: the key) run op by op while they are traced; once it is sure that the
 *           next one does the same, a plan runs it, to the same bits. Where Lua has a part in
 *           the step, sure means that two traces agree, and the first step of every epoch is
 *           traced again to see that they still do. A step that cannot be traced runs op by
 *           op as ever; lar_steps_text says why.
 */
#ifndef LAR_TRAIN_STEPS_H
#define LAR_TRAIN_STEPS_H

#include "grad/key.h"
#include "grad/plan.h"
#include "train/fit.h"

typedef struct lar_steps lar_steps;

lar_status lar_steps_new(lar_steps **out, lar_fit *f);
void lar_steps_free(lar_steps *s);

/* An epoch begins. */
void lar_steps_renew(lar_steps *s);

/* f->batch_loss, each[k] of the penalties of the forward pass, *objective, the parameters'
 * grad (which is NULL before) and *pred, owned by the scope. Nothing is differentiated where
 * the objective is not finite. */
lar_status lar_steps_learn(lar_steps *st, lar_scope *s, const lar_batch *b, double *each,
                           double *objective, lar_var **pred);

/* How the steps run: "plan", or "eager: the reason". */
const char *lar_steps_text(const lar_steps *s);

/* The plan that ran the most steps, or NULL; the steps object's. */
lar_plan *lar_steps_plan(const lar_steps *s);

/* What the C side of a step depends on beside elements. */
void lar_key_module(lar_key *k, const lar_module *m);
void lar_key_step(lar_key *k, const lar_fit *f, const lar_batch *b);

/* Does Lua take part in a step? */
bool lar_key_has_calls(const lar_fit *f);

#endif
