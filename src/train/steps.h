/*
 * train/steps - loss and gradients of one batch, or its loss alone: op by op, or by a plan.
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
#include "train/batches.h"

typedef struct lar_steps lar_steps;

lar_status lar_steps_new(lar_steps **out, lar_fit *f);
void lar_steps_free(lar_steps *s);

/* An epoch begins. */
void lar_steps_renew(lar_steps *s);

typedef enum lar_step_kind {
  LAR_STEP_LEARN, /* loss, penalties of the forward pass, and the parameters' gradients */
  LAR_STEP_VALUE, /* the same without gradients, which shares the plan of the former */
  LAR_STEP_CURVE, /* products of the parameters' Hessian with a direction */
  LAR_STEP_JUDGE, /* the loss alone: nothing is recorded, the model's mode is the caller's */
} lar_step_kind;

/* What goes into a step, then what comes out of it: the loss, each[k] of the penalties (NULL
 * for JUDGE), the objective (their sum) and the prediction, owned by the scope. LEARN puts the
 * gradients into the parameters' grad, which is NULL before; nothing is differentiated where
 * the objective is not finite. CURVE takes `along` and gives `bent` alone (grad/hessian.h). */
typedef struct lar_step {
  lar_step_kind kind;
  const lar_batch *batch;
  double *each;
  double loss, objective;
  lar_var *pred;
  lar_var *along, **bent;
} lar_step;

lar_status lar_steps_run(lar_steps *st, lar_scope *s, lar_step *step);

/* Mean loss and, if asked for, predictions on whole tensors, in eval mode, nothing recorded;
 * the dealer's slots serve again. */
lar_status lar_evaluate(const lar_fit *f, lar_steps *st, lar_dealer *deal,
                        const lar_batch *data, double *loss, lar_var **pred);

/* How the steps run: "plan", or "eager: the reason". */
const char *lar_steps_text(const lar_steps *s);

/* The plan that ran the most steps that learn, or NULL; the steps object's. */
lar_plan *lar_steps_plan(const lar_steps *s);

/* What the C side of a step depends on beside elements. */
void lar_key_module(lar_key *k, const lar_module *m);
void lar_key_step(lar_key *k, const lar_fit *f, const lar_batch *b);

/* Does Lua take part in a step? */
bool lar_key_has_calls(const lar_fit *f);

#endif
