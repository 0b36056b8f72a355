#include "train/steps.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "grad/grad.h"
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
  bool check; /* trace the next one and compare */
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

static lar_status eager(lar_steps *st, lar_scope *s, const lar_batch *b, double *each,
                        double *objective, lar_var **pred, lar_trace *t) {
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
                      .each = each,
                      .term = term};
  lar_status status = lar_forward_run(&pass, s, b->x);
  lar_var *j = pass.penalty != NULL ? lar_add(s, pass.value, pass.penalty) : pass.value;
  *pred = pass.pred;
  if (status == LAR_OK) status = s->status;
  if (status == LAR_OK) status = lar_var_item(pass.value, &f->batch_loss);
  if (status == LAR_OK) status = lar_var_item(j, objective);
  if (status == LAR_OK && isfinite(*objective)) {
    status = lar_backward(j, NULL, false);
    if (status == LAR_OK && t != NULL) note(t, &pass, j);
  }
  lar_free(term);
  return status;
}

/* ---- while it is traced ---- */

static lar_status alias(lar_trace *t, lar_var **out, lar_var *v) {
  *out = NULL;
  return v == NULL ? LAR_OK : lar_trace_input(t, v, out);
}

static lar_status traced(lar_steps *st, lar_scope *s, const lar_batch *b, double *each,
                         double *objective, lar_var **pred, lar_trace **out) {
  lar_trace *t;
  lar_batch own = {0};
  *out = NULL;
  LAR_TRY(lar_trace_new(&t, false));
  lar_status status = alias(t, &own.x, b->x);
  if (status == LAR_OK) status = alias(t, &own.y, b->y);
  if (status == LAR_OK) status = alias(t, &own.weight, b->weight);
  if (status == LAR_OK) {
    lar_trace_begin(t);
    status = eager(st, s, &own, each, objective, pred, t);
    lar_trace_end(t);
  }
  lar_batch_clear(&own);
  if (status == LAR_OK && isfinite(*objective))
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

static void explain(lar_steps *st, const char *why) {
  (void)snprintf(st->why, sizeof st->why, "eager: %s", why);
}

/* Make of a trace what can be made of it. */
static void learn_from(lar_steps *st, kind *k, lar_trace *t) {
  bool agrees =
    t->why[0] == '\0' && (!st->calls || k->trace == NULL || lar_trace_agree(k->trace, t));
  bool again = st->calls && k->trace == NULL;
  if (!agrees) {
    k->tries++;
    explain(st, t->why);
    forget(k);
  }
  if (agrees && !again && k->plan == NULL && lar_plan_new(&k->plan, t) != LAR_OK) {
    explain(st, lar_why());
    k->tries = TRIES;
  }
  if (k->plan != NULL) {
    st->why[0] = '\0';
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

static lar_status deliver(lar_steps *st, lar_scope *s, const lar_plan *p, double *each,
                          double *objective, lar_var **pred) {
  const lar_params *params = &st->f->optim->params;
  for (int k = 0; k < lar_plan_results(p); k++) {
    int tag = lar_plan_tag(p, k);
    lar_var *v = lar_plan_result(p, k);
    if (tag == OF_LOSS)
      LAR_TRY(lar_var_item(v, &st->f->batch_loss));
    else if (tag == OF_OBJECTIVE)
      LAR_TRY(lar_var_item(v, objective));
    else if (tag == OF_PRED)
      *pred = lar_scope_own(s, lar_var_ref(v));
    else if (tag < OF_GRAD)
      LAR_TRY(lar_var_item(v, &each[tag - OF_TERM]));
    else if (isfinite(*objective))
      params->at[tag - OF_GRAD].var->grad = lar_var_ref(v);
  }
  if (st->f->optim->bound != NULL) lar_bound_passed(st->f->optim->bound);
  return s->status;
}

/* The streams as they are, to go back to. */
typedef struct streams {
  int n;
  uint64_t at[LAR_TRACE_STREAMS];
} streams;

static void save(streams *to) {
  lar_rng *r;
  for (to->n = 0; to->n < LAR_TRACE_STREAMS && lar_rng_nth(to->n, &r) != NULL; to->n++)
    to->at[to->n] = r->at;
}

static void go_back(const streams *to) {
  lar_rng *r;
  for (int k = 0; k < to->n && lar_rng_nth(k, &r) != NULL; k++) r->at = to->at[k];
}

/* False: it did not come off, and nothing happened (but averages). */
static bool planned(lar_steps *st, kind *k, const lar_batch *b) {
  const lar_var *in[] = {b->x, b->y, b->weight}, *given[3];
  int n = 0;
  streams former;
  for (int j = 0; j < 3; j++)
    if (in[j] != NULL) given[n++] = in[j];
  save(&former);
  if (lar_plan_run(k->plan, LAR_RUN_ALL, n, given) == LAR_OK) return true;
  go_back(&former);
  return false;
}

/* ---- a step ---- */

/* A plan's gradients take the place of what is there. */
static bool no_gradients(const lar_params *p) {
  for (int i = 0; i < p->n; i++)
    if (p->at[i].var->grad != NULL) return false;
  return true;
}

static kind *look_up(lar_steps *st, const lar_batch *b) {
  lar_key_step(&st->key, st->f, b);
  if (st->f->hooks.key != NULL && st->calls) st->f->hooks.key(st->f->hooks.ctx, &st->key);
  if (st->key.status != LAR_OK) return NULL;
  kind *k = find(st);
  if (k == NULL) k = add(st);
  if (k != NULL) k->used = ++st->clock, k->seen++;
  return k;
}

lar_status lar_steps_learn(lar_steps *st, lar_scope *s, const lar_batch *b, double *each,
                           double *objective, lar_var **pred) {
  lar_trace *t = NULL;
  if (st->f->dynamic || !no_gradients(&st->f->optim->params))
    return eager(st, s, b, each, objective, pred, NULL);
  st->calls = lar_key_has_calls(st->f);
  kind *k = look_up(st, b);
  if (k != NULL && k->plan != NULL && !lar_plan_holds(k->plan)) forget(k);
  if (k != NULL && k->plan != NULL && !k->check && planned(st, k, b)) {
    k->ran++;
    return deliver(st, s, k->plan, each, objective, pred);
  }
  if (k == NULL || k->tries >= TRIES || k->seen == 1)
    return eager(st, s, b, each, objective, pred, NULL);
  k->check = false;
  LAR_TRY(traced(st, s, b, each, objective, pred, &t));
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
    if (s->at[k].plan != NULL && (best == NULL || s->at[k].ran > best->ran)) best = &s->at[k];
  return best != NULL ? best->plan : NULL;
}

const char *lar_steps_text(const lar_steps *s) {
  if (s->f->dynamic) return "eager: dynamic = true";
  if (s->clock == 0) return "eager: rules for whole data run operation by operation";
  if (s->why[0] != '\0') return s->why;
  return lar_steps_plan(s) != NULL ? "plan" : "eager: no two steps were of one kind";
}
