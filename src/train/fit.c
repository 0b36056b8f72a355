#include "train/fit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/interrupt.h"
#include "core/mem.h"
#include "kern/copy.h"
#include "train/batches.h"
#include "train/gap.h"
#include "train/steps.h"
#include "train/whole.h"

static const char *const status_names[] = {
  [LAR_FIT_RUNNING] = "running",       [LAR_FIT_MAX_EPOCHS] = "max_epochs",
  [LAR_FIT_EARLY_STOP] = "early_stop", [LAR_FIT_CONVERGED] = "converged",
  [LAR_FIT_STOPPED] = "stopped",       [LAR_FIT_INTERRUPTED] = "interrupted",
  [LAR_FIT_DIVERGED] = "diverged",     [LAR_FIT_TIME_LIMIT] = "time_limit",
};

const char *lar_fit_status_name(lar_fit_status s) { return status_names[s]; }

static double read_clock(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double now(void) { return read_clock(CLOCK_MONOTONIC); }

/* What the loop keeps to itself during a run. */
typedef struct loop {
  lar_fit *f;
  lar_steps *steps;
  lar_dealer deal, judged; /* of the data; of evaluations */
  lar_whole_pass whole;    /* of a rule that looks at all data at once */
  double former;           /* objective of the epoch before */
  double started, epoch_started, shown;
  int64_t group;         /* batches of the step at hand so far */
  double loss_sum, rows; /* of the epoch, over rows (or their weights) */
  lar_reg *reg;          /* that the terms below are of */
  double *each, *sum;    /* of terms of the forward pass: in a step; over rows, as loss_sum */
  double sum_rows;
  lar_tensor *safe; /* weights at the start of the epoch, to go back to */
  lar_kept kept;    /* of the epoch */
} loop;

/* ---- batches ---- */

static lar_status next_batch(loop *l, lar_batch *b, bool *end) {
  *b = (lar_batch){0};
  if (l->f->data.x != NULL) return lar_dealer_next(&l->deal, b, end);
  return l->f->hooks.next(l->f->hooks.ctx, b, end);
}

/* ---- one step ---- */

/* Room for the terms of the penalty, which a hook may have replaced. */
static lar_status renew_terms(loop *l) {
  lar_fit *f = l->f;
  void *p;
  if (l->reg == f->optim->reg && f->term != NULL) return LAR_OK;
  lar_reg_unref(l->reg);
  l->reg = lar_reg_ref(f->optim->reg);
  lar_free(f->term);
  lar_free(l->each);
  lar_free(l->sum);
  f->term = l->each = l->sum = NULL;
  if (f->optim->bound != NULL) lar_bound_dynamic(f->optim->bound, f->dynamic);
  f->nterm = f->optim->bound != NULL ? lar_bound_terms(f->optim->bound) : 0;
  l->sum_rows = 0;
  LAR_TRY(lar_alloc(&p, (size_t)f->nterm + 1, sizeof(double)));
  f->term = p;
  LAR_TRY(lar_alloc(&p, (size_t)f->nterm + 1, sizeof(double)));
  l->each = p;
  LAR_TRY(lar_alloc(&p, (size_t)f->nterm + 1, sizeof(double)));
  l->sum = p;
  return LAR_OK;
}

/* Terms of the parameters, as they are now. */
static lar_status measure_penalty(loop *l) {
  lar_fit *f = l->f;
  f->penalty = 0;
  LAR_TRY(renew_terms(l));
  return f->optim->bound != NULL ? lar_bound_values(f->optim->bound, f->term, &f->penalty)
                                 : LAR_OK;
}

/* Terms of the forward pass: means over the epoch, as the loss is. */
static void add_forward(loop *l) {
  lar_fit *f = l->f;
  for (int k = 0; k < f->nterm && l->sum_rows > 0; k++)
    if (lar_bound_is_forward(f->optim->bound, k)) {
      f->term[k] = l->sum[k] / l->sum_rows;
      f->penalty += f->term[k];
    }
}

static lar_status diverge(loop *l, const lar_batch *b) {
  LAR_TRY(lar_check_finite("fit: x", &b->x->t));
  if (b->y != NULL) LAR_TRY(lar_check_finite("fit: y", &b->y->t));
  l->f->status = LAR_FIT_DIVERGED;
  return LAR_OK;
}

/* Strengths for this step; and terms of parameters where an epoch of one step has its loss. */
static lar_status refresh(loop *l) {
  lar_bound *bound = l->f->optim->bound;
  bool first = l->rows == 0; /* of the epoch */
  LAR_TRY(renew_terms(l));
  if (bound != NULL && (first || lar_bound_sees(bound) != 0))
    LAR_TRY(lar_optim_refresh(l->f->optim, l->f->hooks.state));
  return first && l->f->batches <= 1 ? measure_penalty(l) : LAR_OK;
}

static lar_status learn(loop *l, lar_scope *s, const lar_batch *b, lar_var **pred) {
  lar_step now = {.kind = LAR_STEP_LEARN, .batch = b, .each = l->each};
  LAR_TRY(lar_steps_run(l->steps, s, &now));
  l->f->batch_loss = now.loss;
  *pred = now.pred;
  return isfinite(now.objective) ? LAR_OK : diverge(l, b);
}

static void add_up(loop *l, double rows) {
  l->loss_sum += l->f->batch_loss * rows;
  l->rows += rows;
  for (int k = 0; k < l->f->nterm; k++) l->sum[k] += l->each[k] * rows;
  l->sum_rows += rows;
}

/* What comes before the first batch of a step. */
static lar_status begin_step(loop *l) {
  lar_fit *f = l->f;
  if (f->optim->collected > 0) return LAR_OK;
  f->step++;
  if (f->hooks.before_step != NULL) LAR_TRY(f->hooks.before_step(f->hooks.ctx, f));
  lar_optim_zero_grad(f->optim);
  return refresh(l);
}

/* The gradient from uphill, for a step from here; the loss stays that of here. */
static lar_status look_uphill(loop *l, lar_scope *s, const lar_batch *b) {
  lar_fit *f = l->f;
  double loss = f->batch_loss;
  lar_var *pred;
  LAR_TRY(lar_optim_ascend(f->optim));
  lar_status st = learn(l, s, b, &pred);
  lar_optim_descend(f->optim);
  f->batch_loss = loss;
  return st;
}

static lar_status end_step(loop *l) {
  lar_fit *f = l->f;
  LAR_TRY(lar_optim_step(f->optim, f->hooks.state));
  if (f->status != LAR_FIT_RUNNING || f->hooks.after_step == NULL) return LAR_OK;
  return f->hooks.after_step(f->hooks.ctx, f);
}

/* The loss of a batch, its gradient, and a step when that is of enough batches. */
static lar_status learn_batch(loop *l, lar_scope *s, const lar_batch *b) {
  lar_fit *f = l->f;
  lar_var *pred = NULL;
  LAR_TRY(learn(l, s, b, &pred));
  if (f->status == LAR_FIT_DIVERGED) return LAR_OK;
  add_up(l, lar_batch_rows(b));
  if (f->optim->sam > 0) LAR_TRY(look_uphill(l, s, b));
  if (f->status == LAR_FIT_DIVERGED) return LAR_OK;
  if (f->keep_train) LAR_TRY(lar_kept_add(&l->kept, pred, b->y));
  if (f->accumulate <= 1) return end_step(l);
  LAR_TRY(lar_optim_collect(f->optim, lar_batch_rows(b)));
  if (++l->group < f->accumulate) return LAR_OK;
  l->group = 0;
  return end_step(l);
}

static lar_status step(loop *l, const lar_batch *b) {
  lar_scope s;
  l->f->batch++;
  if (b->weight != NULL && lar_batch_rows(b) == 0) return LAR_OK; /* no rows, as it were */
  LAR_TRY(begin_step(l));
  lar_scope_init(&s);
  lar_status st = learn_batch(l, &s, b);
  lar_scope_clear(&s);
  return st;
}

/* ---- an epoch ---- */

static lar_status reorder(loop *l) {
  lar_fit *f = l->f;
  l->deal.at = 0;
  f->batch = 0;
  f->epoch_rng = *f->shuffler;
  if (f->data.x == NULL) return f->hooks.begin(f->hooks.ctx, f->epoch);
  int64_t n = f->data.x->t.shape[0];
  f->batches = f->drop_last && n >= f->batch_size ? n / f->batch_size
                                                  : (n + f->batch_size - 1) / f->batch_size;
  const lar_rule *rule = f->optim->rule;
  if (!f->shuffle || f->batches <= 1 || (rule->iterate != NULL && !rule->shuffles))
    return LAR_OK;
  void *p = l->deal.order;
  if (p == NULL) LAR_TRY(lar_alloc_raw(&p, (size_t)n, sizeof *l->deal.order));
  l->deal.order = p;
  lar_rng_permutation(f->shuffler, l->deal.order, n);
  return LAR_OK;
}

static void poll(loop *l) {
  lar_fit *f = l->f;
  if (f->status != LAR_FIT_RUNNING) return;
  double t = read_clock(CLOCK_MONOTONIC_COARSE); /* late by milliseconds, but costs nothing */
  f->seconds = fmax(f->seconds, t - l->started);
  if (lar_interrupt_pending()) {
    f->status = LAR_FIT_INTERRUPTED;
  } else if (f->time_limit > 0 && f->seconds >= f->time_limit) {
    f->status = LAR_FIT_TIME_LIMIT;
  } else if (f->max_steps > 0 && f->step >= f->max_steps) {
    f->status = LAR_FIT_MAX_EPOCHS;
  }
  if (f->hooks.progress != NULL && t - l->shown > 0.1) {
    l->shown = t;
    f->hooks.progress(f->hooks.ctx, f);
  }
}

/* An iteration of a rule that looks at all data, which is its epoch. */
static lar_status iterate(loop *l) {
  lar_fit *f = l->f;
  f->step++;
  f->batch = f->batches = 1;
  if (f->hooks.before_step != NULL) LAR_TRY(f->hooks.before_step(f->hooks.ctx, f));
  LAR_TRY(renew_terms(l));
  LAR_TRY(lar_whole_pass_run(&l->whole, f, l->steps, l->deal.order));
  if (f->status == LAR_FIT_DIVERGED) return LAR_OK;
  LAR_TRY(measure_penalty(l));
  l->loss_sum = l->whole.loss;
  l->rows = l->sum_rows = l->whole.rows;
  for (int k = 0; k < f->nterm; k++) l->sum[k] = l->whole.sum[k];
  if (f->keep_train) {
    lar_var *pred = NULL;
    double loss;
    lar_status st = lar_evaluate(f, l->steps, &l->judged, &f->data, &loss, &pred);
    if (st == LAR_OK) st = lar_kept_add(&l->kept, pred, f->data.y);
    lar_var_unref(pred);
    LAR_TRY(st);
  }
  if (f->hooks.after_step != NULL) LAR_TRY(f->hooks.after_step(f->hooks.ctx, f));
  poll(l);
  return LAR_OK;
}

/* All batches of one epoch, or as many as the status lets. */
static lar_status batches(loop *l) {
  lar_fit *f = l->f;
  if (f->optim->rule->iterate != NULL) return iterate(l);
  lar_status st = LAR_OK;
  bool end = false;
  while (st == LAR_OK && f->status == LAR_FIT_RUNNING) {
    lar_batch b;
    st = next_batch(l, &b, &end);
    if (st != LAR_OK || end) {
      lar_batch_clear(&b);
      break;
    }
    if (f->skip > 0) {
      f->skip--;
      f->batch++;
    } else {
      st = step(l, &b);
    }
    lar_batch_clear(&b);
    if (l->group == 0) poll(l); /* no run ends between the batches of a step */
  }
  if (st == LAR_OK && end && l->group > 0) {
    l->group = 0;
    st = end_step(l);
    poll(l);
  }
  if (st == LAR_OK && end && f->batch == 0)
    return lar_fail(LAR_EARG, "fit: epoch %lld has no batches", (long long)f->epoch);
  if (st == LAR_OK && end) f->batches = f->batch;
  return st;
}

static void drop_kept(lar_fit *f) {
  lar_var_unref(f->train_pred);
  lar_var_unref(f->train_y);
  lar_var_unref(f->val_pred);
  f->train_pred = f->train_y = f->val_pred = NULL;
}

static lar_status close_epoch(loop *l) {
  lar_fit *f = l->f;
  f->epoch_loss = l->rows > 0 ? l->loss_sum / l->rows : f->batch_loss;
  if (f->batch > 1) LAR_TRY(measure_penalty(l));
  add_forward(l);
  f->objective = f->epoch_loss + f->penalty;
  f->val_loss = f->gap = (double)NAN;
  drop_kept(f);
  if (f->keep_train) {
    LAR_TRY(lar_kept_join(&f->train_pred, l->kept.pred, l->kept.n));
    LAR_TRY(lar_kept_join(&f->train_y, l->kept.y, l->kept.n));
  }
  if (f->val.x != NULL) {
    lar_optim_swap_ema(f->optim);
    lar_status st = lar_evaluate(f, l->steps, &l->judged, &f->val, &f->val_loss,
                                 f->keep_val ? &f->val_pred : NULL);
    lar_optim_swap_ema(f->optim);
    LAR_TRY(st);
  }
  if (f->gap_tol > 0) LAR_TRY(lar_gap(f, &f->gap));
  f->seconds = now() - l->started;
  f->epoch_seconds = now() - l->epoch_started;
  if (f->status != LAR_FIT_RUNNING) return LAR_OK;
  double change = fabs(f->objective - l->former);
  if (f->tol > 0 && isfinite(l->former) && change <= f->tol * fmax(1, fabs(l->former)))
    f->status = LAR_FIT_CONVERGED;
  if (f->grad_tol > 0 && f->optim->grad_norm <= f->grad_tol) f->status = LAR_FIT_CONVERGED;
  if (f->gap <= f->gap_tol) f->status = LAR_FIT_CONVERGED;
  l->former = f->objective;
  return LAR_OK;
}

/* ---- weights to go back to when the loss is no number any more ---- */

static lar_status save(loop *l) {
  const lar_params *p = &l->f->optim->params;
  for (int i = 0; i < p->n; i++) {
    const lar_tensor *w = &p->at[i].var->t;
    if (l->safe[i].storage != NULL && l->safe[i].dtype == w->dtype)
      LAR_TRY(lar_copy(&l->safe[i], w));
    else {
      lar_tensor_clear(&l->safe[i]);
      LAR_TRY(lar_clone(&l->safe[i], w, w->dtype));
    }
  }
  return LAR_OK;
}

static void put_back(loop *l) {
  const lar_params *p = &l->f->optim->params;
  for (int i = 0; i < p->n; i++)
    if (l->safe[i].storage != NULL) {
      (void)lar_copy(&p->at[i].var->t, &l->safe[i]);
      p->at[i].var->t.storage->version++;
    }
}

static lar_status epoch(loop *l) {
  lar_fit *f = l->f;
  f->epoch++;
  l->epoch_started = now();
  l->loss_sum = l->rows = l->sum_rows = 0;
  l->group = 0;
  LAR_TRY(renew_terms(l));
  for (int k = 0; k < f->nterm; k++) l->sum[k] = 0;
  lar_kept_forget(&l->kept);
  lar_steps_renew(l->steps);
  LAR_TRY(save(l));
  LAR_TRY(reorder(l));
  LAR_TRY(batches(l));
  if (f->status == LAR_FIT_DIVERGED) {
    put_back(l);
    f->epoch_loss = f->objective = f->batch_loss;
  } else {
    LAR_TRY(close_epoch(l));
  }
  return f->hooks.epoch_end != NULL ? f->hooks.epoch_end(f->hooks.ctx, f) : LAR_OK;
}

static bool has(const lar_module *m, const lar_var *v) {
  for (int j = 0; j < m->nslot; j++)
    if (m->slot[j].var == v) return true;
  for (int j = 0; j < m->nchild; j++)
    if (has(m->child[j], v)) return true;
  return false;
}

static lar_status check_trainable(const lar_module *m, const lar_params *p) {
  bool ours = false;
  for (int i = 0; i < p->n; i++) ours = ours || has(m, p->at[i].var);
  if (!ours)
    return lar_fail(LAR_EARG,
                    "fit: the optimizer (or the history to resume) is of another model: "
                    "none of its parameters is in this one");
  for (int i = 0; i < p->n; i++)
    if (p->at[i].var->requires_grad) return LAR_OK;
  return lar_fail(LAR_EARG, "fit: every parameter of the model is frozen; unfreeze() those "
                            "that are to be trained");
}

static lar_status check_weights(const lar_tensor *w, const char *whose) {
  double sum = 0;
  for (int64_t i = 0; i < w->shape[0]; i++) {
    double v = lar_tensor_get(w, i * w->stride[0]);
    if (!(v >= 0 && v < HUGE_VAL))
      return lar_fail(LAR_EARG, "fit: %sweight %g in row %lld is not a number >= 0", whose, v,
                      (long long)i + 1);
    sum += v;
  }
  return sum > 0 ? LAR_OK : lar_fail(LAR_EARG, "fit: %sweights are all zero", whose);
}

/* Whole data, where there is any. */
static lar_status check_data(const lar_batch *d, const char *whose) {
  char x[64], y[64];
  if (d->x == NULL) return LAR_OK;
  (void)snprintf(x, sizeof x, "fit: %sx", whose);
  (void)snprintf(y, sizeof y, "fit: %sy", whose);
  LAR_TRY(lar_check_finite(x, &d->x->t));
  if (d->y != NULL) LAR_TRY(lar_check_finite(y, &d->y->t));
  if (d->x->t.ndim == 0 || d->x->t.shape[0] == 0)
    return lar_fail(LAR_ESHAPE, "%s of shape %s has no rows", x, lar_tensor_text(&d->x->t));
  return d->weight != NULL && d->weight->t.ndim == 1 ? check_weights(&d->weight->t, whose)
                                                     : LAR_OK;
}

static lar_status prepare(loop *l) {
  lar_fit *f = l->f;
  void *p;
  LAR_TRY(check_trainable(f->model, &f->optim->params));
  LAR_TRY(check_data(&f->data, ""));
  LAR_TRY(check_data(&f->val, "validation."));
  if (f->gap_tol > 0) LAR_TRY(lar_gap_known(f));
  LAR_TRY(lar_steps_new(&l->steps, f));
  LAR_TRY(lar_alloc(&p, (size_t)f->optim->params.n, sizeof *l->safe));
  l->safe = p;
  return LAR_OK;
}

lar_status lar_fit_run(lar_fit *f) {
  loop l = {.f = f,
            .deal = {.data = &f->data, .size = f->batch_size, .drop_last = f->drop_last},
            .started = now(),
            .former = f->epoch > 0 ? f->former : HUGE_VAL};
  lar_status st = prepare(&l);
  bool former_grad = lar_grad_mode(true), former_mode = f->model->training;
  f->status = LAR_FIT_RUNNING;
  bool inner = lar_interrupt_hold(true); /* within a run that is to end at Ctrl-C too? */
  if (!inner) lar_interrupt_clear();
  lar_module_train(f->model, true);
  while (st == LAR_OK && f->status == LAR_FIT_RUNNING) {
    if (f->epoch >= f->epochs)
      f->status = LAR_FIT_MAX_EPOCHS;
    else
      st = epoch(&l);
  }
  if (f->status == LAR_FIT_INTERRUPTED && !inner) lar_interrupt_clear();
  lar_interrupt_hold(inner);
  if (l.steps != NULL) (void)snprintf(f->plan, sizeof f->plan, "%s", lar_steps_text(l.steps));
  lar_optim_zero_grad(f->optim);
  lar_module_train(f->model, former_mode);
  lar_grad_mode(former_grad);
  for (int i = 0; l.safe != NULL && i < f->optim->params.n; i++) lar_tensor_clear(&l.safe[i]);
  lar_free(l.safe);
  lar_kept_clear(&l.kept);
  lar_dealer_clear(&l.deal);
  lar_dealer_clear(&l.judged);
  lar_free(l.each);
  lar_free(l.sum);
  lar_steps_free(f->steps);
  f->steps = l.steps;
  lar_whole_pass_clear(&l.whole);
  lar_reg_unref(l.reg);
  return st;
}

void lar_fit_clear(lar_fit *f) {
  drop_kept(f);
  lar_batch_clear(&f->data);
  lar_batch_clear(&f->val);
  lar_steps_free(f->steps);
  f->steps = NULL;
  lar_free(f->term);
  f->term = NULL;
}
