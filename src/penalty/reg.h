/*
 * penalty/reg - regularisers: sums of penalties with strengths, scopes and schedules.
 *
 * Floor:    penalty.
 * Contract: a lar_reg is an immutable, counted sum of terms; algebra makes new ones that
 *           share terms. lar_reg_bind fixes it to the parameters of a model: which terms
 *           touch which parameter, what is smooth (gradient) and what is not (prox), and in
 *           what order proxes compose. Refused there, in one sentence: a scope that matches
 *           no parameter (lists what there is), a penalty on an integer tensor, groups that
 *           do not fit.
 */
#ifndef LAR_PENALTY_REG_H
#define LAR_PENALTY_REG_H

#include "grad/params.h"
#include "penalty/penalty.h"

typedef enum lar_pen_mode { LAR_PROXIMAL, LAR_SUBGRADIENT } lar_pen_mode;

typedef struct lar_term lar_term; /* counted */
struct lar_term {
  int refs;
  const lar_penalty *type; /* NULL for a penalty written in Lua */
  void *self;
  char *name; /* "l1"; terms of one name in a sum are told apart as l1, l1_2, ... */
  lar_pen_mode mode;
  double lambda;          /* strength, when there is no function */
  char *by;               /* grouping by kind, or NULL */
  lar_var *ids, *weights; /* group ids; per-coordinate weights */
  /* Callbacks (penalties, lambdas and scopes from Lua); each may be NULL. */
  void *ctx;
  void (*drop)(void *ctx);
  lar_status (*lambda_fn)(void *ctx, void *state,
                          double *out); /* state: of the loop, or NULL */
  lar_status (*value_fn)(void *ctx, lar_var *w, lar_var **out); /* recorded: a graph value */
  lar_status (*prox_fn)(void *ctx, const lar_tensor *w, double step, double lambda);
};

/* A term with its factor and scope inside a sum. */
typedef struct lar_addend {
  lar_term *term;
  double scale;
  char **on;       /* globs and kinds, ended by NULL; NULL: all weights */
  void *match_ctx; /* or a predicate */
  void (*match_drop)(void *ctx);
  lar_status (*match)(void *ctx, const lar_pentry *p, bool *yes);
} lar_addend;

typedef struct lar_reg {
  int refs, n;
  lar_addend *at;
} lar_reg;

lar_reg *lar_reg_ref(lar_reg *r);
void lar_reg_unref(lar_reg *r);
lar_status lar_reg_of(lar_reg **out, lar_term *t); /* takes a new reference of t */
lar_status lar_reg_add(lar_reg **out, const lar_reg *a, const lar_reg *b);
lar_status lar_reg_scale(lar_reg **out, const lar_reg *a, double factor);
lar_status lar_reg_on(lar_reg **out, const lar_reg *a,
                      const char *const *on); /* replaces scope */

/* Write the exact function: "0.01 |w|_1 on weights + ..." */
lar_status lar_reg_text(const lar_reg *r, char **out); /* lar_free it */

/* ---- bound to a model ---- */

typedef struct lar_bound lar_bound;
lar_status lar_reg_bind(lar_bound **out, lar_reg *r, const lar_params *p);
void lar_bound_free(lar_bound *b);

/* Evaluate lambda functions for this step; `state` is passed on to them. */
lar_status lar_bound_refresh(lar_bound *b, void *state);

/* Values: of every addend (name_k, value_k) and their sum. */
int lar_bound_terms(const lar_bound *b);
const char *lar_bound_name(const lar_bound *b, int k);
lar_status lar_bound_values(lar_bound *b, double *each, double *total);

/* Strength of addend k now (lambda times factors). */
double lar_bound_lambda(const lar_bound *b, int k);

/* g += gradient of the smooth addends (and subgradient ones) at parameter i. */
lar_status lar_bound_grad(lar_bound *b, int i, const lar_tensor *g);
bool lar_bound_has_grad(const lar_bound *b, int i);

/* Apply the proxes of the others to parameter i in place, in order; metric may be NULL. */
lar_status lar_bound_prox(lar_bound *b, int i, double step, const lar_tensor *metric);
bool lar_bound_has_prox(const lar_bound *b, int i);

#endif
