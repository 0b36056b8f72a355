/*
 * penalty/reg - regularisers: sums of penalties with strengths, scopes and schedules.
 *
 * Floor:    penalty.
 * Contract: a lar_reg is an immutable, counted sum of terms; algebra makes new ones that
 *           share terms. lar_reg_bind fixes it to the parameters of a model: which terms
 *           touch which parameter, what is smooth (gradient) and what is not (prox), and how
 *           proxes compose (penalty/compose.h). Refused there, in one sentence: a scope that
 *           matches no parameter (lists what there is), a penalty on an integer tensor,
 *           groups or weights that do not fit.
 */
#ifndef LAR_PENALTY_REG_H
#define LAR_PENALTY_REG_H

#include "grad/params.h"
#include "penalty/penalty.h"

typedef enum lar_pen_mode { LAR_PROXIMAL, LAR_SUBGRADIENT } lar_pen_mode;

/* Given tensors by the names of parameters, or one for every parameter. Counted. */
typedef struct lar_given {
  int refs;
  bool one;
  lar_params p; /* float64, contiguous, copies */
} lar_given;

struct lar_key; /* grad/key.h */

typedef struct lar_term { /* counted */
  int refs;
  const lar_penalty *type; /* NULL for a penalty written in Lua */
  void *self;
  char *name; /* "l1"; terms of one name in a sum are told apart as l1, l1_2, ... */
  lar_pen_mode mode;
  double lambda;         /* strength, when there is no function */
  char *by;              /* grouping by kind; or else: */
  lar_var *ids;          /* int64, contiguous: the group of each coordinate */
  lar_var *sizes, *list; /* int64, contiguous: lists of coordinates, one after the other */
  lar_var *weights;      /* float64, contiguous: lar_pen_at's weight, */
  lar_var *l1_weights;   /* and l1_weight */
  lar_given *towards, *fisher; /* of penalties that read them */
  uint64_t passes;             /* forward passes that have counted it in */
  char *formula;               /* of a penalty written in Lua: "log_sum(w; eps = 0.1)" */
  bool separable;              /* of one: its prox takes a step for each coordinate */
  /* Callbacks (penalties and lambdas from Lua); each may be NULL. */
  void *ctx, *lambda_ctx;
  lar_status (*lambda_fn)(void *ctx, void *state, double *out); /* state of the loop, or NULL */
  lar_status (*value_fn)(void *ctx, double l, lar_var *w, lar_var **out); /* Omega, recorded */
  void (*key_fn)(void *ctx, struct lar_key *k); /* what value_fn depends on beside w */
  lar_status (*prox_fn)(void *ctx, double l, const lar_tensor *w, double step,
                        const lar_tensor *metric); /* of l Omega */
} lar_term;

lar_status lar_given_new(lar_given **out, const lar_params *from, bool one); /* copies */
lar_given *lar_given_ref(lar_given *g);
void lar_given_unref(lar_given *g);

/* Where a penalty acts. Counted. A name or glob whose last part holds a wildcard ("4.*")
 * means weights only; biases are named ("*.bias") or asked for by kind, and so are gains, which
 * no wildcard means: "*.weight" is weights. */
typedef struct lar_on {
  int refs, n;
  char **names; /* globs and kinds */
  void *ctx;    /* or a predicate */
  lar_status (*match)(void *ctx, const lar_pentry *p, bool *yes);
} lar_on;

/* A term with its factor and scope inside a sum. */
typedef struct lar_addend {
  lar_term *term;
  double scale;
  lar_on *on; /* NULL: all weights */
} lar_addend;

typedef struct lar_reg {
  int refs, n;
  lar_addend *at;
} lar_reg;

/* A term of that type (NULL: written in Lua) with default parameters, lambda 1. */
lar_status lar_term_new(lar_term **out, const lar_penalty *type, const char *name);
lar_status lar_term_copy(lar_term **out, const lar_term *t); /* to be changed; refs 1 */
lar_term *lar_term_ref(lar_term *t);
void lar_term_unref(lar_term *t);

lar_status lar_on_new(lar_on **out, int n, const char *const *names);
lar_on *lar_on_ref(lar_on *on);
void lar_on_unref(lar_on *on);

lar_reg *lar_reg_ref(lar_reg *r);
void lar_reg_unref(lar_reg *r);
lar_status lar_reg_of(lar_reg **out, lar_term *t); /* takes a new reference of t */
lar_status lar_reg_add(lar_reg **out, const lar_reg *a, const lar_reg *b);
lar_status lar_reg_scale(lar_reg **out, const lar_reg *a, double factor);
lar_status lar_reg_on(lar_reg **out, const lar_reg *a, lar_on *on); /* replaces scope */

/* Name of addend k in the sum, in a buffer of the caller. */
const char *lar_reg_name(const lar_reg *r, int k, char buf[64]);

/* Does the term act through its gradient? (Else through its prox.) */
bool lar_term_by_grad(const lar_term *t);

/* Write the exact function, what acts how, and how proxes compose. */
lar_status lar_reg_text(const lar_reg *r, char **out); /* lar_free it */

/* ---- bound to a model ---- */

typedef struct lar_bound lar_bound;

/* p must outlive the bound; its tensors may change their dtype, not their shape.
 * lar_reg_bind_all leaves scopes aside: every term acts on every parameter. */
lar_status lar_reg_bind(lar_bound **out, lar_reg *r, const lar_params *p);
lar_status lar_reg_bind_all(lar_bound **out, lar_reg *r, const lar_params *p);
void lar_bound_free(lar_bound *b);

/* Evaluate lambda functions for this step; `state` is passed on to them. */
lar_status lar_bound_refresh(lar_bound *b, void *state);

/* Values: of every addend (name_k, value_k) and their sum. */
int lar_bound_terms(const lar_bound *b);
const char *lar_bound_name(const lar_bound *b, int k);
lar_status lar_bound_values(lar_bound *b, double *each, double *total);

/* Strength of addend k (lambda times factors) as of the last refresh; 1 for constraints, NaN
 * for a function not yet called. lar_bound_set takes the place of lambda and factors from the
 * next refresh on (a schedule); NaN: these again. LAR_EARG for constraints. */
double lar_bound_lambda(const lar_bound *b, int k);
lar_status lar_bound_set(lar_bound *b, int k, double lambda);
bool lar_bound_is_set(const lar_bound *b, int k);

/* ---- penalties of the forward pass ---- */

/* Is addend k one? Its part of lar_bound_values is 0: it is measured with the pass. */
bool lar_bound_is_forward(const lar_bound *b, int k);

/* What of a pass the addends need: lar_sees, 0 when nothing. */
unsigned lar_bound_sees(const lar_bound *b);

/* The sum of l Omega(pass) over them, recorded, owned by the scope; NULL: there are none, or a
 * failure. each[k] get their values, term[k] (unless term is
 * NULL) the graph values, the others' are left alone. `seen` is what the layers
 * gave. */
lar_var *lar_bound_forward(lar_bound *b, lar_scope *s, const lar_pass *pass,
                           const lar_outputs *seen, double *each, lar_var **term);

/* A plan has run the pass instead. */
void lar_bound_passed(lar_bound *b);

/* One of them: Omega, without a strength. */
lar_var *lar_addend_forward(const lar_addend *a, const char *name, lar_scope *s,
                            const lar_pass *pass, const lar_outputs *seen);

/* The standard deviation of the noise that parameter i gets in a forward pass in training. */
double lar_bound_noise(lar_bound *b, int i);

/* LAR_EARG when a penalty of the forward pass has seen no pass since the last call: whoever
 * takes steps by hand must add it to the loss. */
lar_status lar_bound_seen(lar_bound *b);

/* g += gradient of the addends at parameter i that act by it; g is contiguous, of the
 * parameter's dtype and shape. With `all`, (sub)gradients of the others too. */
lar_status lar_bound_grad(lar_bound *b, int i, const lar_tensor *g);
lar_status lar_bound_grad_all(lar_bound *b, int i, const lar_tensor *g);
bool lar_bound_has_grad(const lar_bound *b, int i);

/* Penalties written as functions run as they are each time, and never by a plan. */
void lar_bound_dynamic(lar_bound *b, bool on);

/* The least strength of addend 0 that holds parameter i at 0, where the loss has a gradient
 * there that the parameter itself stands for (lar_penalty_max). */
lar_status lar_bound_max(lar_bound *b, int i, double *out);

/* How far -g is from the subdifferential at parameter i, a contiguous float64 tensor that this
 * overwrites: 0 where it is stationary for a loss with the gradient g there. Exact for one
 * separable term and where all act by gradient; else by proxes of short steps (1e-6 of the
 * largest weight; 1e-4 where a prox iterates), to which what is nearer to a kink is on it. */
lar_status lar_bound_distance(lar_bound *b, int i, const lar_tensor *g, double *out);

/* Weights for addend 0 after the values of parameter i: its own, over |w_j|^gamma for each
 * coordinate or group; `l1` are those of LAR_SOFT's l1 part, else left alone. */
lar_status lar_bound_adapt(lar_bound *b, int i, double gamma, lar_tensor *out, lar_tensor *l1);

/* LAR_EARG, naming two of them, where the proxes on a parameter do not compose: before
 * training, rather than at its first step. */
lar_status lar_bound_composes(const lar_bound *b);

/* Apply the proxes of the others to parameter i in place; metric (contiguous, of the
 * parameter's dtype and shape) may be NULL. lar_bound_prox_all: of all addends, LAR_EARG when
 * one has no prox. */
lar_status lar_bound_prox(lar_bound *b, int i, double step, const lar_tensor *metric);
lar_status lar_bound_prox_all(lar_bound *b, int i, double step, const lar_tensor *metric);
bool lar_bound_has_prox(const lar_bound *b, int i);

/* The prox for a caller that takes it stretch by stretch (lar_fused in penalty/compose.h; no
 * metric: plain steps). False: not possible, nothing done. */
struct lar_fused;
bool lar_bound_fuse(lar_bound *b, int i, struct lar_fused *f, double step, bool metric,
                    int64_t most);

/* The name of a term that acts by prox on parameter i, or NULL; with `kinks` one that is not of
 * the family a|w| + b/2 w^2, of which lar_bound_kinks gives a and b of each coordinate. */
const char *lar_bound_sharp(const lar_bound *b, int i, bool kinks);
void lar_bound_kinks(const lar_bound *b, int i, double *kink, double *bend);

/* Is there a penalty on parameter i, and is its conjugate known: of sums of a|w| + b/2 w^2, and
 * of one norm? Then at -share v, for the largest share in [0, 1] at which it is finite; v is a
 * contiguous float64 tensor of the parameter's shape. */
bool lar_bound_has_dual(const lar_bound *b, int i);
lar_status lar_bound_dual(const lar_bound *b, int i, const lar_tensor *v, double *share,
                          double *conjugate);
bool lar_bound_is_free(const lar_bound *b, int i); /* no penalty at all */

/* Does a term that acts by prox on parameter i know no metric? Then a prox is exact with one
 * step for the whole tensor only. */
bool lar_bound_is_euclidean(const lar_bound *b, int i);

/* Can the gradient of parameter i be added stretch by stretch? lar_bound_grad_rows does so
 * for coordinates [begin, end), on any thread; w and g point at the first. */
bool lar_bound_streams(const lar_bound *b, int i);
void lar_bound_grad_rows(const lar_bound *b, int i, const void *w, void *g, int64_t begin,
                         int64_t end);

/* Where all that is so many times the parameter, of one term: how many; else 0. */
double lar_bound_decay(const lar_bound *b, int i);

/* May lar_bound_prox fail (by a callback, or a splitting that does not settle)? */
bool lar_bound_prox_may_fail(const lar_bound *b);

#endif
