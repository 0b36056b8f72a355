/*
 * train/fit - the training loop.
 *
 * Floor:    train (may include: optim nn loss penalty grad op kern core).
 * Contract: lar_fit_run drives model, loss, penalty and optimiser over batches until a
 *           limit, a hook or the user ends it; that is a status, never an error. Errors come
 *           from data that does not fit the model and from hooks (LAR_ECALL); the model then
 *           keeps its last whole step. What is done once per epoch (metrics, early stopping,
 *           history, printing) is the caller's, in `epoch_end`.
 */
#ifndef LAR_TRAIN_FIT_H
#define LAR_TRAIN_FIT_H

#include "core/rng.h"
#include "loss/loss.h"
#include "nn/nn.h"
#include "optim/optim.h"

typedef enum lar_fit_status {
  LAR_FIT_RUNNING,
  LAR_FIT_MAX_EPOCHS,
  LAR_FIT_EARLY_STOP,
  LAR_FIT_CONVERGED,
  LAR_FIT_STOPPED,
  LAR_FIT_INTERRUPTED,
  LAR_FIT_DIVERGED,
  LAR_FIT_TIME_LIMIT,
} lar_fit_status;

/* "max_epochs" "early_stop" ...; "running" while it runs. */
const char *lar_fit_status_name(lar_fit_status s);

/* Rows that go together: x (n, ...), y (n, ...), weight (n) or NULL. */
typedef struct lar_batch {
  lar_var *x, *y, *weight;
} lar_batch;

void lar_batch_clear(lar_batch *b);

/* How many rows, or what their weights add up to. */
double lar_batch_rows(const lar_batch *b);

typedef struct lar_fit lar_fit;
struct lar_key; /* grad/key.h */

/* Everything the loop calls; ctx comes first. NULL: not wanted. */
typedef struct lar_fit_hooks {
  void *ctx;
  /* Batches made elsewhere: start an epoch; the next batch (new references), or *end. */
  lar_status (*begin)(void *ctx, int64_t epoch);
  lar_status (*next)(void *ctx, lar_batch *b, bool *end);
  /* A loss in Lua: (prediction, target, weight or NULL) -> a graph value with one element. */
  lar_status (*loss)(void *ctx, lar_var *pred, const lar_batch *b, lar_var **out);
  lar_status (*before_step)(void *ctx, lar_fit *f); /* schedules */
  lar_status (*after_step)(void *ctx, lar_fit *f);  /* the user's hook */
  lar_status (*epoch_end)(void *ctx, lar_fit *f);
  void (*progress)(void *ctx, lar_fit *f); /* at most ten times a second */
  /* Where Lua takes part in a step: what it depends on beside tensors. */
  void (*key)(void *ctx, struct lar_key *k);
  void *state; /* handed to lambda functions */
} lar_fit_hooks;

/* Settings above, results below; zeroed settings are "off" unless said. */
struct lar_fit {
  lar_module *model;
  lar_optim *optim;
  const lar_criterion *loss;             /* or hooks.loss */
  lar_batch data;                        /* whole tensors; x NULL: hooks.begin and next */
  lar_batch val;                         /* x NULL: no validation */
  int64_t epochs, batch_size, max_steps; /* max_steps 0: no limit */
  int64_t accumulate;                    /* batches whose gradients make a step; 0: one */
  bool shuffle, drop_last;
  bool profile;    /* note the times of a plan's kernels */
  bool dynamic;    /* no plans: the step may do something else each time */
  bool keep_train; /* keep predictions of an epoch, for metrics */
  bool keep_val;
  bool keep_gradients;  /* somebody may look at them between steps */
  double time_limit;    /* seconds; 0: none */
  double tol, grad_tol; /* relative change of the objective; gradient norm */
  double gap_tol;       /* > 0: relative duality gap of a linear model (train/gap.h) */
  lar_rng *shuffler;
  lar_fit_hooks hooks;

  lar_fit_status status; /* a hook may set it to end the run after this step or epoch */
  int64_t epoch, step, batch, batches;  /* counted from 1; batches 0: not known */
  double batch_loss;                    /* of the last step */
  double epoch_loss, penalty, val_loss; /* of the epoch; NaN where there is none */
  double objective, gap;                /* gap: relative, where gap_tol asks for it; else NaN */
  double seconds, epoch_seconds;
  int nterm;
  double *term;                             /* values of the penalty's addends with `penalty` */
  lar_var *train_pred, *train_y, *val_pred; /* when kept: all rows of the epoch */
  int64_t skip;            /* batches of the first epoch that a former run has done */
  double former;           /* its last objective, where epoch > 0; HUGE_VAL: there is none */
  char plan[256];          /* how the steps ran: "plan", or "eager: why" */
  struct lar_steps *steps; /* of the last run, for its plan */
  lar_rng epoch_rng;       /* the shuffler as it was at the start of the epoch */
};

/* Run from epoch f->epoch + 1 on. */
lar_status lar_fit_run(lar_fit *f);
void lar_fit_clear(lar_fit *f);

/* The loss of a batch by f->loss or the hook, owned by the scope. */
lar_var *lar_fit_loss(const lar_fit *f, lar_scope *s, lar_var *pred, const lar_batch *b);

/* Rows [begin, end) of a permutation of t's rows (order NULL: as they are). */
lar_status lar_rows(lar_tensor *out, const lar_tensor *t, const int64_t *order, int64_t begin,
                    int64_t end);

/* The same into *slot, in the place of the last batch there where that is free. */
lar_status lar_rows_again(lar_var **slot, const lar_tensor *t, const int64_t *order,
                          int64_t begin, int64_t end);

/* LAR_EARG naming the first column with NaN or infinity: "x has nan in column 3 (row 17)". */
lar_status lar_check_finite(const char *what, const lar_tensor *t);

#endif
