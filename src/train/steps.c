#include "train/steps.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "grad/grad.h"
#include "grad/hessian.h"
#include "train/forward.h"

enum { PLANS = 8, TRIES = 3, TEXT = 256 };

/* Tags of results: what they are, and of which addend or parameter. */
enum { OF_LOSS, OF_OBJECTIVE, OF_PRED, OF_TERM = 1 << 20, OF_GRAD = 1 << 21 };

/* What is known about steps of one key. */
typedef struct kind {
  lar_key key;
  lar_trace *trace; /* of the last step that ran op by op */
  lar_plan *plan;
  int tries;   /* traces that did not agree with the one before, or could not be made a plan */
  int64_t ran; /* steps by the plan */
  uint64_t used, seen;
  bool aside;  /* not steps that learn */
  bool unused; /* the plan has not run yet */
  bool check;  /* trace the next one and compare */
} kind;

struct lar_steps {
  lar_fit *f;
  lar_key key;
  kind at[PLANS];
  int n;
  uint64_t clock;
  bool calls;
  char why[TEXT];
};

/* ---- op by op ---- */

typedef struct losing {
  const lar_fit *f;
  const lar_batch *b;
} losing;

static lar_var *lose(void *ctx, lar_scope *s, lar_var *pred) {
  const losing *l = ctx;
  return lar_fit_loss(l->f, s, pred, l->b);
}

static void note(lar_trace *t, const lar_forward *pass, const lar_var *objective) {
  const lar_params *p = pass->params;
  lar_trace_output(t, pass->value, OF_LOSS, false);
  lar_trace_output(t, objective, OF_OBJECTIVE, false);
  lar_trace_output(t, pass->pred, OF_PRED, false);
  for (int k = 0; pass->bound != NULL && k < lar_bound_terms(pass->bound); k++)
    if (pass->term[k] != NULL) lar_trace_output(t, pass->term[k], OF_TERM + k, false);
  for (int i = 0; i < p->n; i++)
    if (p->at[i].var->grad != NULL) lar_trace_output(t, p->at[i].var->grad, OF_GRAD + i, true);
}

/* Does a rule ask for values without gradients? Its plans can run the forward pass alone. */
static bool asks_for_values(const lar_steps *st) { return st->f->optim->rule->iterate != NULL; }

static lar_status differentiate(const lar_steps *st, const lar_forward *pass, lar_var *j,
                                lar_trace *t) {
  if (t != NULL && asks_for_values(st)) lar_trace_split(t);
  if (!j->requires_grad)
    return lar_fail(LAR_EARG, "fit: the loss depends on no parameter that is trained; was it "
                              "detached, or made of constants?");
  LAR_TRY(lar_backward(j, NULL, false));
  if (t != NULL) note(t, pass, j);
  return LAR_OK;
}

static lar_status bend(const lar_steps *st, lar_scope *s, const lar_step *step, lar_var *j,
                       lar_trace *t) {
  const lar_params *p = &st->f->optim->params;
  LAR_TRY(lar_hessian_times(s, j, p, step->along, step->bent));
  for (int i = 0; t != NULL && i < p->n; i++)
    if (step->bent[i] != NULL) lar_trace_output(t, step->bent[i], OF_GRAD + i, false);
  return LAR_OK;
}

static lar_status learn(lar_steps *st, lar_scope *s, lar_step *step, const lar_batch *b,
                        lar_trace *t) {
  lar_fit *f = st->f;
  losing ctx = {f, b};
  void *term = NULL;
  lar_bound *bound = f->optim->bound;
  if (bound != NULL)
    LAR_TRY(lar_alloc(&term, (size_t)lar_bound_terms(bound) + 1, sizeof(lar_var *)));
  lar_forward pass = {.model = f->model,
                      .bound = bound,
                      .params = &f->optim->params,
                      .loss = lose,
                      .ctx = &ctx,
                      .each = step->each,
                      .term = term};
  lar_status status = lar_forward_run(&pass, s, b->x);
  lar_var *j = pass.penalty != NULL ? lar_add(s, pass.value, pass.penalty) : pass.value;
  step->pred = pass.pred;
  if (status == LAR_OK) status = s->status;
  if (status == LAR_OK) status = lar_var_item(pass.value, &step->loss);
  if (status == LAR_OK) status = lar_var_item(j, &step->objective);
  if (status == LAR_OK && step->kind == LAR_STEP_LEARN && isfinite(step->objective))
    status = differentiate(st, &pass, j, t);
  if (status == LAR_OK && step->kind == LAR_STEP_CURVE) status = bend(st, s, step, j, t);
  lar_free(term);
  return status;
}

static lar_status judge(lar_steps *st, lar_scope *s, lar_step *step, const lar_batch *b,
                        lar_trace *t) {
  step->pred = lar_module_forward(st->f->model, s, b->x);
  lar_var *l = lar_fit_loss(st->f, s, step->pred, b);
  LAR_TRY(s->status);
  LAR_TRY(lar_var_item(l, &step->loss));
  step->objective = step->loss;
  if (t == NULL) return LAR_OK;
  lar_trace_output(t, l, OF_LOSS, false);
  lar_trace_output(t, step->pred, OF_PRED, false);
  return LAR_OK;
}

/* Of a batch that is the step's, or stands for it in a trace. */
static lar_status eager(lar_steps *st, lar_scope *s, lar_step *step, const lar_batch *b,
                        lar_trace *t) {
  return (step->kind == LAR_STEP_JUDGE ? judge : learn)(st, s, step, b, t);
}

/* ---- while it is traced ---- */

static lar_status alias(lar_trace *t, lar_var **out, lar_var *v) {
  *out = NULL;
  return v == NULL ? LAR_OK : lar_trace_input(t, v, out);
}

static lar_status traced(lar_steps *st, lar_scope *s, lar_step *step, lar_trace **out) {
  const lar_batch *b = step->batch;
  lar_trace *t;
  lar_batch own = {0};
  lar_var *given = step->along;
  *out = NULL;
  LAR_TRY(lar_trace_new(&t, false));
  lar_status status = alias(t, &own.x, b->x);
  if (status == LAR_OK) status = alias(t, &own.y, b->y);
  if (status == LAR_OK) status = alias(t, &own.weight, b->weight);
  if (status == LAR_OK) status = alias(t, &step->along, given);
  if (status == LAR_OK) {
    lar_trace_begin(t);
    status = eager(st, s, step, &own, t);
    lar_trace_end(t);
  }
  lar_batch_clear(&own);
  if (step->along != given) lar_var_unref(step->along);
  step->along = given;
  if (status == LAR_OK && isfinite(step->objective))
    *out = t;
  else
    lar_trace_free(t);
  return status;
}

/* ---- what is known ---- */

static void forget(kind *k) {
  lar_trace_free(k->trace);
  lar_plan_free(k->plan);
  k->trace = NULL;
  k->plan = NULL;
}

static void clear(kind *k) {
  forget(k);
  lar_free(k->key.at);
  *k = (kind){0};
}

static kind *find(lar_steps *st) {
  for (int k = 0; k < st->n; k++)
    if (st->at[k].key.n == st->key.n && memcmp(st->at[k].key.at, st->key.at, st->key.n) == 0)
      return &st->at[k];
  return NULL;
}

/* A place for a kind that is new: the one that was not seen for longest. */
static kind *add(lar_steps *st) {
  kind *at = st->n < PLANS ? &st->at[st->n++] : &st->at[0];
  for (int k = 0; k < st->n && at->used != 0; k++)
    if (st->at[k].used < at->used) at = &st->at[k];
  clear(at);
  lar_key_put(&at->key, st->key.at, st->key.n);
  if (at->key.status == LAR_OK) return at;
  clear(at);
  return NULL;
}

static void explain(lar_steps *st, bool aside, const char *why) {
  if (!aside) (void)snprintf(st->why, sizeof st->why, "eager: %s", why);
}

/* Make of a trace what can be made of it. */
static void learn_from(lar_steps *st, kind *k, lar_trace *t) {
  bool agrees =
    t->why[0] == '\0' && (!st->calls || k->trace == NULL || lar_trace_agree(k->trace, t));
  bool again = st->calls && k->trace == NULL;
  if (!agrees) {
    k->tries++;
    explain(st, k->aside, t->why);
    forget(k);
  }
  if (agrees && !again && k->plan == NULL && lar_plan_new(&k->plan, t) != LAR_OK) {
    explain(st, k->aside, lar_why());
    k->tries = TRIES;
  }
  if (k->plan != NULL) {
    if (!k->aside) st->why[0] = '\0';
    k->unused = k->ran == 0;
    lar_plan_measure(k->plan, st->f->profile);
  }
  if (k->trace != NULL && agrees) {
    lar_trace_free(t); /* the first is as good */
    return;
  }
  lar_trace_free(k->trace);
  k->trace = NULL;
  if (t->why[0] == '\0' && st->calls) {
    k->trace = t;
    lar_trace_let_go(t);
  } else {
    lar_trace_free(t);
  }
}

/* ---- by plan ---- */

/* May gradients be left to the update? Not where anybody else looks at them, and not where all
 * are wanted before any. */
static bool leaves(const lar_steps *st, const lar_step *step) {
  const lar_fit *f = st->f;
  return step->kind == LAR_STEP_LEARN && f->hooks.after_step == NULL && f->hooks.next == NULL &&
         !f->keep_gradients && f->accumulate <= 1 && lar_optim_takes_factors(f->optim);
}

/* The k-th result to where it belongs. */
static lar_status hand_out(lar_steps *st, lar_scope *s, lar_step *step, int tag, lar_var *v) {
  if (tag == OF_LOSS) return lar_var_item(v, &step->loss);
  if (tag == OF_OBJECTIVE) return lar_var_item(v, &step->objective);
  if (tag == OF_PRED)
    step->pred = lar_scope_own(s, lar_var_ref(v));
  else if (tag < OF_GRAD)
    return lar_var_item(v, &step->each[tag - OF_TERM]);
  else if (step->kind == LAR_STEP_CURVE)
    step->bent[tag - OF_GRAD] = lar_scope_own(s, lar_var_ref(v));
  else if (step->kind == LAR_STEP_LEARN && isfinite(step->objective))
    st->f->optim->params.at[tag - OF_GRAD].var->grad = lar_var_ref(v);
  return s->status;
}

static lar_status deliver(lar_steps *st, lar_scope *s, const lar_plan *p, lar_step *step) {
  lar_bound *bound = st->f->optim->bound;
  for (int i = 0; step->kind == LAR_STEP_CURVE && i < st->f->optim->params.n; i++)
    step->bent[i] = NULL;
  for (int k = 0; k < lar_plan_results(p); k++) {
    const lar_tensor *a, *b;
    if (!lar_plan_factors(p, k, &a, &b))
      LAR_TRY(hand_out(st, s, step, lar_plan_tag(p, k), lar_plan_result(p, k)));
    else if (isfinite(step->objective))
      lar_optim_factors(st->f->optim, lar_plan_tag(p, k) - OF_GRAD, a, b);
  }
  if (step->kind == LAR_STEP_JUDGE)
    step->objective = step->loss;
  else if (bound != NULL)
    lar_bound_passed(bound);
  return s->status;
}

/* False: it did not come off, and nothing happened (but averages). */
static bool planned(const lar_steps *st, const kind *k, const lar_step *step) {
  const lar_batch *b = step->batch;
  const lar_var *in[] = {b->x, b->y, b->weight, step->along}, *given[4];
  int n = 0;
  lar_rng_marks former;
  for (int j = 0; j < 4; j++)
    if (in[j] != NULL) given[n++] = in[j];
  lar_rng_mark(&former);
  lar_run_part part = step->kind == LAR_STEP_VALUE ? LAR_RUN_FORWARD : LAR_RUN_ALL;
  lar_plan_leave(k->plan, leaves(st, step));
  if (lar_plan_run(k->plan, part, n, given) == LAR_OK) return true;
  lar_rng_go_back(&former);
  return false;
}

/* ---- a step ---- */

/* A plan's gradients take the place of what is there. */
static bool no_gradients(const lar_params *p) {
  for (int i = 0; i < p->n; i++)
    if (p->at[i].var->grad != NULL) return false;
  return true;
}

/* A value has the key of the step whose plan it shares, and is not counted as one. */
static kind *look_up(lar_steps *st, const lar_step *step) {
  bool value = step->kind == LAR_STEP_VALUE, former = lar_grad_enabled();
  if (value) lar_grad_mode(true);
  lar_key_step(&st->key, st->f, step->batch);
  lar_grad_mode(former);
  if (step->kind == LAR_STEP_CURVE) lar_key_put(&st->key, &step->kind, sizeof step->kind);
  if (st->f->hooks.key != NULL && st->calls) st->f->hooks.key(st->f->hooks.ctx, &st->key);
  if (st->key.partial)
    explain(st, step->kind != LAR_STEP_LEARN,
            "Lua code of the step reaches more values than can be compared each time");
  if (st->key.status != LAR_OK || st->key.partial) return NULL;
  kind *k = find(st);
  if (value) return k;
  if (k == NULL) k = add(st);
  if (k == NULL) return NULL;
  k->used = ++st->clock, k->seen++;
  k->aside = step->kind != LAR_STEP_LEARN;
  return k;
}

/* A plan that holds no more goes; after some that never ran no more are made. */
static void let_go(kind *k) {
  if (k->plan == NULL || lar_plan_holds(k->plan)) return;
  if (k->unused) k->tries++;
  forget(k);
}

lar_status lar_steps_run(lar_steps *st, lar_scope *s, lar_step *step) {
  lar_trace *t = NULL;
  bool learns = step->kind == LAR_STEP_LEARN;
  if (st->f->dynamic || (learns && !no_gradients(&st->f->optim->params)))
    return eager(st, s, step, step->batch, NULL);
  st->calls = lar_key_has_calls(st->f);
  kind *k = look_up(st, step);
  if (k != NULL) let_go(k);
  if (k != NULL && k->plan != NULL && !k->check && planned(st, k, step)) {
    k->ran++;
    k->unused = false;
    return deliver(st, s, k->plan, step);
  }
  if (k == NULL || step->kind == LAR_STEP_VALUE || k->tries >= TRIES || k->seen == 1)
    return eager(st, s, step, step->batch, NULL);
  k->check = false;
  LAR_TRY(traced(st, s, step, &t));
  if (t != NULL) learn_from(st, k, t);
  return LAR_OK;
}

/* ---- life ---- */

lar_status lar_steps_new(lar_steps **out, lar_fit *f) {
  void *at;
  *out = NULL;
  LAR_TRY(lar_alloc(&at, 1, sizeof(lar_steps)));
  *out = at;
  (*out)->f = f;
  return LAR_OK;
}

void lar_steps_free(lar_steps *s) {
  if (s == NULL) return;
  for (int k = 0; k < s->n; k++) clear(&s->at[k]);
  lar_free(s->key.at);
  lar_free(s);
}

void lar_steps_renew(lar_steps *s) {
  for (int k = 0; k < s->n; k++) s->at[k].check = s->calls;
}

lar_plan *lar_steps_plan(const lar_steps *s) {
  const kind *best = NULL;
  for (int k = 0; k < s->n; k++)
    if (s->at[k].plan != NULL && !s->at[k].aside && (best == NULL || s->at[k].ran > best->ran))
      best = &s->at[k];
  return best != NULL ? best->plan : NULL;
}

const char *lar_steps_text(const lar_steps *s) {
  if (s->f->dynamic) return "eager: dynamic = true";
  if (s->why[0] != '\0') return s->why;
  return lar_steps_plan(s) != NULL ? "plan" : "eager: no two steps were of one kind";
}
