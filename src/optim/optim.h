/*
 * optim/optim - update rules, and the optimiser that applies one to a model's parameters.
 *
 * Floor:    optim (may include: penalty grad op kern core).
 * Contract: one rule a file; it defines one `LAR_ENTRY(rule, <file>)`: a fused pass over a
 *           parameter in its dtype. The optimiser adds what all share, in this order: clip
 *           the loss's gradient, add the smooth penalties', update, proximal step of the
 *           others in the rule's metric, EMA. A frozen parameter is not touched. A step that
 *           fails (a callback's error) leaves the parameters as they were.
 */
#ifndef LAR_OPTIM_OPTIM_H
#define LAR_OPTIM_OPTIM_H

#include "core/entry.h"
#include "core/param.h"
#include "grad/params.h"
#include "penalty/reg.h"

enum { LAR_RULE_STATES = 4, LAR_NUMBERS = 8 };

struct lar_optim;

/* n elements of one parameter. `t` counts steps from 1. When metric is not NULL the rule also
 * writes the step it took per unit of gradient at each coordinate, divided by lr and by gain
 * (1 / (sqrt(v) + eps) for adam). state[k] starts at zero. */
typedef void lar_update(const void *self, double lr, int64_t t, int64_t n, void *w,
                        const void *g, void *const *state, void *metric);

/* The loss of data in parts: of one part as a graph value with one element, owned by the scope,
 * and its weight (rows). Of two tasks with the same stamp, not 0, the loss is the same. Where
 * parts are dealt anew for each iteration, evaluations take parts `given` + k, of the data as
 * it was given: their sums do not depend on the deal. */
typedef struct lar_task {
  void *ctx;
  int64_t parts, given;
  uint64_t stamp;
  lar_var *(*loss)(void *ctx, lar_scope *s, int64_t part, double *weight);
  /* The same as a number, with the gradient in the parameters' grad (NULL before) where it is
   * wanted and the loss finite. NULL: `loss` is differentiated. */
  lar_status (*learn)(void *ctx, lar_scope *s, int64_t part, bool slope, double *loss,
                      double *weight);
  /* Its Hessian times v, as lar_hessian_times has it (grad/hessian.h). NULL: from `loss`, which
   * may be NULL itself where both are given. */
  lar_status (*curve)(void *ctx, lar_scope *s, int64_t part, lar_var *v, lar_var **out,
                      double *weight);
  /* A look at the loss between the two leaves noise and running means as they were; did it
   * draw? NULL: there are none. */
  lar_status (*keep)(void *ctx);
  bool (*undo)(void *ctx);
} lar_task;

struct lar_whole; /* optim/whole.h */

typedef struct lar_rule {
  const char *name, *doc, *source;
  const lar_param *params; /* without lr, which all have */
  size_t size;
  double lr;             /* default learning rate */
  int nstate;            /* tensors of state a parameter */
  const char *state;     /* their names, for checkpoints: "momentum", "m v" */
  bool diagonal;         /* has a metric of its own */
  bool trust;            /* the step is made as long as the parameter, times lr */
  bool dual;             /* w follows from sums, not from w: no step without a metric */
  bool full_batch;       /* wants the whole data as one batch (gd) */
  const char *decay;     /* name of a parameter that is for weights only; NULL: none */
  lar_update *update[2]; /* float32, float64 */
  /* What momentum adds up to: the sum of steps t has taken for a gradient that stayed 1,
   * divided by lr; the proximal step is this much longer, so that its rest is the minimum of
   * J. NULL: 1. */
  double (*gain)(const void *self, int64_t t);
  /* Which states are in use, a bit each; NULL: all. */
  unsigned (*uses)(const void *self);
  /* Of rules for whole data (no update then): one iteration; how many vectors of its own it
   * keeps; does it take such a penalty (NULL: any)? */
  lar_status (*iterate)(struct lar_whole *h);
  int64_t (*rows)(const void *self);
  lar_status (*takes)(const struct lar_optim *o, const lar_bound *b);
  bool shuffles; /* looks at parts one by one */
} lar_rule;

extern const lar_rule *const lar_rules[]; /* ends in NULL; made by make */
const lar_rule *lar_rule_find(const char *name);

/* A group of parameters with settings of their own. */
typedef struct lar_optim_group {
  int non;
  char **on;       /* globs and kinds */
  double lr_scale; /* lr relative to the optimiser's: both move with a schedule */
  void *self;      /* NULL: the optimiser's */
  void *free_self; /* the same without decay, for biases and gains; NULL: they decay too */
} lar_optim_group;

typedef struct lar_optim {
  const lar_rule *rule;
  void *self;
  double lr;
  int64_t t;                    /* steps taken */
  double clip_norm, clip_value; /* 0: off */
  double ema;                   /* decay; 0: off */
  double sam;                   /* how far lar_optim_ascend goes; 0: it does not */
  lar_params params;
  lar_tensor *state;   /* [params.n][nstate]; no storage before the first step */
  lar_tensor *average; /* EMA of each parameter */
  int *group;          /* of each parameter; -1: none */
  int ngroup;
  lar_optim_group *groups;
  lar_reg *reg;
  lar_bound *bound;           /* NULL without penalty */
  double grad_norm;           /* of the last step, before clipping */
  void *free_self;            /* self without decay, for biases and gains; NULL: no decay */
  lar_tensor *work, *backup;  /* of each parameter: gradient to use; value before the step */
  struct lar_factors *factor; /* of each parameter: a gradient that is not computed yet */
  void *packed;               /* second factors of those, as their rows are made from them */
  size_t packed_bytes;
  lar_tensor *sum;   /* of each parameter: gradients collected */
  lar_tensor *aside; /* values before lar_optim_ascend */
  double collected;  /* the weight of what is in sum; 0: nothing */
  bool ascended;
  /* Of a rule for whole data: its vectors (one a row), its numbers; how the last iteration
   * ended; for which task and strengths its first two rows hold. */
  lar_tensor memory;
  double number[LAR_NUMBERS], value;
  bool done, stalled;
  bool loaded; /* they are of a checkpoint */
  uint64_t stamp, strengths;
  double first_norm;      /* of the run's first iteration */
  lar_var *along, **bent; /* a direction; of each parameter, the Hessian times it */
  lar_storage *metric;
  struct lar_way *way;     /* of each parameter: how it moves in the step at hand */
  struct lar_chunk *chunk; /* the work of a step, with room for nchunk */
  size_t nchunk;
  bool refreshed; /* the strengths of the next step are in force already */
} lar_optim;

/* params are referenced anew. `self`: rule->size bytes, NULL: defaults. */
lar_status lar_optim_new(lar_optim **out, const lar_rule *rule, const void *self, double lr,
                         const lar_params *params, lar_reg *reg);
void lar_optim_free(lar_optim *o);

/* Give the parameters that match globs or kinds settings of their own; self (NULL: shared) is
 * copied, and decays says that it names the rule's `decay` for biases and gains too. A
 * parameter belongs to the first group that matches. LAR_EARG when none does. */
lar_status lar_optim_add_group(lar_optim *o, int non, const char *const *on, double lr_scale,
                               const void *self, bool decays);

/* Set a parameter of the rule, in all groups that have not set it differently. */
lar_status lar_optim_set(lar_optim *o, const char *name, double v);

/* Swap the penalty between or during runs; NULL: none. On failure the former one stays. */
lar_status lar_optim_penalty(lar_optim *o, lar_reg *reg);

void lar_optim_zero_grad(lar_optim *o);

/* Put the strengths of the next step in force, for a forward pass with penalties of it: lambda
 * functions are called here, with `state`, and not again by the step. */
lar_status lar_optim_refresh(lar_optim *o, void *state);

/* One step from the gradients in the parameters' `grad`; a missing gradient counts as zero
 * for the penalties but leaves a parameter without penalty alone. `state` is handed to
 * lambda functions. */
lar_status lar_optim_step(lar_optim *o, void *state);

/* The gradient of parameter i is the product of two matrices that stay as they are until the
 * step: where the parameter has no other, the step makes it row by row, and where it wants all
 * of it at once, at once. */
void lar_optim_factors(lar_optim *o, int i, const lar_tensor *a, const lar_tensor *b);

/* Would the next step make gradients row by row? */
bool lar_optim_takes_factors(const lar_optim *o);

/* One iteration of a rule for whole data on a task. */
lar_status lar_optim_iterate(lar_optim *o, const lar_task *task, void *state);

/* Add the gradients, times weight, to a sum, and let go of them: the next step takes the sum
 * over all weights for the gradient. */
lar_status lar_optim_collect(lar_optim *o, double weight);

/* Sharpness-aware minimisation: move by sam along the gradient, and let go of it; the gradient
 * there is for a step from where one was. lar_optim_step goes back by itself. */
lar_status lar_optim_ascend(lar_optim *o);
void lar_optim_descend(lar_optim *o);

/* Exchange the parameters with their averages (for evaluation), and back. */
void lar_optim_swap_ema(lar_optim *o);

/* Make state (and averages) of parameter i be there in the dtype that it has now. */
lar_status lar_optim_ready(lar_optim *o, int i);

#endif
