#include "grad/compiled.h"

#include <stddef.h>

#include "core/mem.h"
#include "grad/grad.h"
#include "op/calc.h"
#include "op/call.h"

/* Tags of results: the k-th of the function; whether it has a derivative; derivatives by the
 * k-th input or by the k-th leaf. */
enum { RESULT = 0, RECORDED = 1 << 19, BY_INPUT = 1 << 20, BY_LEAF = 1 << 21 };

struct lar_compiled {
  int refs, nin, nout, nleaf;
  bool recorded, writes, draws;
  uint64_t calls, turn; /* made so far; whose forward pass the buffers hold */
  lar_plan *plan;
  lar_var **arg; /* of a recorded call: inputs; leaves, in the order of tags; its turn */
};

/* ---- tracing ---- */

/* A result that the function did not make itself is copied, so that it is the caller's. */
static lar_status note_result(lar_trace *t, int k, lar_var **out) {
  lar_scope s;
  lar_var *v = *out;
  lar_scope_init(&s);
  if (!lar_trace_made(t, v)) v = LAR_CALL1(&s, clone, v);
  *out = v == NULL ? NULL : lar_var_ref(v);
  if (v != NULL) lar_trace_output(t, v, RESULT + k + (v->requires_grad ? RECORDED : 0), false);
  lar_status st = s.status;
  lar_scope_clear(&s);
  return st;
}

typedef struct wanted {
  int n;
  lar_var **x;
  int *tag;
} wanted;

static void want(wanted *w, lar_var *v, int tag) {
  if (!v->requires_grad) return;
  w->x[w->n] = v;
  w->tag[w->n++] = tag;
}

static lar_status collect(const lar_trace *t, int nin, lar_var *const *alias, wanted *w) {
  void *p;
  size_t n = (size_t)(nin + t->nwatch) + 1;
  LAR_TRY(lar_alloc(&p, 2 * n, sizeof(lar_var *)));
  w->x = p; /* and room for as many derivatives */
  LAR_TRY(lar_alloc(&p, n, sizeof(int)));
  w->tag = p;
  for (int k = 0; k < nin; k++) want(w, alias[k], BY_INPUT + k);
  for (int k = 0; k < t->nwatch; k++) want(w, t->watch[k].v, BY_LEAF + k);
  return LAR_OK;
}

/* Seeds that the plan gets anew each time. */
static lar_status make_seeds(lar_trace *t, lar_scope *s, int n, lar_var *const *y,
                             lar_var **seed) {
  for (int k = 0; k < n; k++) {
    lar_var *one = LAR_CALL1(s, contiguous, lar_full_like(s, y[k], 1));
    LAR_TRY(s->status);
    LAR_TRY(lar_trace_input(t, one, &seed[k]));
    (void)lar_scope_own(s, seed[k]);
  }
  return s->status;
}

static lar_status note_derivatives(lar_trace *t, lar_scope *s, const wanted *w, int n,
                                   lar_var *const *y) {
  lar_var *seed[LAR_MAX_OUT], **g = w->x + w->n;
  LAR_TRY(make_seeds(t, s, n, y, seed));
  LAR_TRY(lar_grad_paths(n, y, seed, w->n, w->x, false, g));
  for (int k = 0; k < w->n; k++) (void)lar_scope_own(s, g[k]);
  for (int k = 0; k < w->n && s->status == LAR_OK; k++) {
    if (g[k] == NULL) continue;
    if (!lar_trace_made(t, g[k]) || !lar_tensor_is_contiguous(&g[k]->t))
      g[k] = LAR_CALL1(s, clone, g[k]);
    if (g[k] != NULL) lar_trace_output(t, g[k], w->tag[k], true);
  }
  return s->status;
}

lar_status lar_compiled_note(lar_trace *t, int nin, lar_var *const *alias, int nout,
                             lar_var **out) {
  lar_scope s;
  wanted w = {0};
  lar_var *y[LAR_MAX_OUT];
  int recorded = 0;
  lar_status noted = LAR_OK;
  for (int k = 0; k < nout; k++)
    if (noted == LAR_OK)
      noted = note_result(t, k, &out[k]);
    else
      out[k] = NULL;
  LAR_TRY(noted);
  lar_trace_split(t);
  for (int k = 0; k < nout; k++) {
    if (!out[k]->requires_grad) continue;
    if (recorded < LAR_MAX_OUT) y[recorded] = out[k];
    recorded++;
  }
  if (recorded == 0) return LAR_OK;
  if (recorded > LAR_MAX_OUT) {
    lar_trace_spoil(t, "%d results have derivatives; %d can", recorded, LAR_MAX_OUT);
    return LAR_OK;
  }
  lar_scope_init(&s);
  bool former = lar_grad_mode(false);
  lar_status st = collect(t, nin, alias, &w);
  if (st == LAR_OK) st = note_derivatives(t, &s, &w, recorded, y);
  lar_grad_mode(former);
  lar_scope_clear(&s);
  lar_free(w.x);
  lar_free(w.tag);
  return st;
}

/* ---- life ---- */

static lar_status keep_leaves(lar_compiled *c, const lar_trace *t) {
  void *p;
  LAR_TRY(lar_alloc(&p, (size_t)(c->nin + t->nwatch) + 1, sizeof(lar_var *)));
  c->arg = p;
  for (int k = 0; k < t->nout; k++)
    if (t->out[k].tag >= BY_LEAF)
      c->arg[c->nin + c->nleaf++] = lar_var_ref(t->watch[t->out[k].tag - BY_LEAF].v);
  return LAR_OK;
}

lar_status lar_compiled_new(lar_compiled **out, const lar_trace *t, int nin) {
  void *p;
  *out = NULL;
  LAR_TRY(lar_alloc(&p, 1, sizeof(lar_compiled)));
  lar_compiled *c = p;
  c->refs = 1;
  c->nin = nin;
  for (int k = 0; k < t->nout; k++) {
    c->nout += t->out[k].tag < BY_INPUT;
    c->recorded = c->recorded || (t->out[k].tag & RECORDED);
  }
  for (int k = 0; k < t->nrecord; k++) {
    c->writes = c->writes || t->record[k].kind == LAR_RECORD_ASSIGN;
    c->draws = c->draws || t->record[k].kind == LAR_RECORD_DRAW;
  }
  lar_status st = keep_leaves(c, t);
  if (st == LAR_OK) st = lar_plan_new(&c->plan, t);
  if (st == LAR_OK)
    *out = c;
  else
    lar_compiled_unref(c);
  return st;
}

void lar_compiled_unref(lar_compiled *c) {
  if (c == NULL || --c->refs > 0) return;
  for (int k = 0; k < c->nleaf; k++) lar_var_unref(c->arg[c->nin + k]);
  lar_free(c->arg);
  lar_plan_free(c->plan);
  lar_free(c);
}

lar_plan *lar_compiled_plan(const lar_compiled *c) { return c->plan; }
int lar_compiled_results(const lar_compiled *c) { return c->nout; }

/* ---- a call in the record for derivatives ---- */

/* Lives as long as its call, as the elements of the call's last input. */
typedef struct turn {
  lar_compiled *c;
  uint64_t turn;
  lar_rng_marks before; /* where the plan draws; else there is no room for it */
} turn;

static void end_turn(void *owner) { lar_compiled_unref(((turn *)owner)->c); }

static lar_status hold_turn(lar_var **out, lar_compiled *c, const lar_rng_marks *before) {
  lar_tensor x = {.dtype = LAR_I64};
  *out = NULL;
  LAR_TRY(lar_storage_new(&x.storage, c->draws ? sizeof(turn) : offsetof(turn, before)));
  turn *t = x.storage->data;
  t->c = c;
  t->turn = c->turn;
  if (c->draws) t->before = *before;
  c->refs++;
  x.storage->release = end_turn;
  x.storage->owner = t;
  lar_status st = lar_var_adopt(out, &x);
  lar_tensor_clear(&x);
  return st;
}

/* The forward pass as it was at that turn. */
static lar_status rewind_to(const turn *t, lar_var *const *x) {
  lar_compiled *c = t->c;
  lar_rng_marks now;
  if (c->turn == t->turn) return LAR_OK;
  if (c->writes)
    return lar_fail(LAR_EARG,
                    "a compiled function that changes tensors in place, as batch_norm "
                    "does, was called again before the derivative was taken");
  lar_rng_mark(&now);
  if (c->draws) lar_rng_go_back(&t->before);
  lar_status st = lar_plan_run(c->plan, LAR_RUN_FORWARD, c->nin, (const lar_var *const *)x);
  lar_rng_go_back(&now);
  c->turn = t->turn;
  return st;
}

enum { MANY = LAR_TRACE_INPUTS + LAR_MAX_OUT };

static lar_status differentiate_turn(lar_vjp *v, const turn *t) {
  const lar_compiled *c = t->c;
  const lar_var *in[MANY];
  int n = c->nin, seed = 0;
  if (lar_grad_enabled())
    return lar_fail(LAR_EARG, "a compiled function has one derivative; for a second, compile "
                              "the function that takes the first");
  LAR_TRY(rewind_to(t, v->x));
  for (int k = 0; k < n; k++) in[k] = v->x[k];
  for (; seed < v->nout; seed++) {
    lar_var *g = v->g[seed] != NULL ? v->g[seed] : lar_full_like(v->s, v->y[seed], 0);
    in[n + seed] = LAR_CALL1(v->s, contiguous, g);
  }
  LAR_TRY(v->s->status);
  LAR_TRY(lar_plan_run(c->plan, LAR_RUN_BACKWARD, n + seed, in));
  for (int k = 0, leaf = 0; k < lar_plan_results(c->plan); k++) {
    int tag = lar_plan_tag(c->plan, k);
    lar_var *g = lar_plan_result(c->plan, k);
    if (tag < BY_INPUT) continue;
    int at = tag >= BY_LEAF ? n + leaf++ : tag - BY_INPUT;
    if (v->need[at]) v->gx[at] = lar_scope_own(v->s, lar_var_ref(g));
  }
  return LAR_OK;
}

static void vjp(lar_vjp *v) {
  const turn *t = lar_tensor_data(&v->x[v->nin - 1]->t);
  lar_status st = differentiate_turn(v, t);
  if (st != LAR_OK) (void)lar_scope_fail(v->s, st);
}

static const lar_op compiled = {
  .name = "compiled",
  .doc = "a call of a compiled function",
  .nin = -1,
  .nout = LAR_MAX_OUT,
  .vjp = vjp,
};

/* ---- calling ---- */

static lar_status record(lar_compiled *c, const lar_rng_marks *before, lar_var *const *in,
                         lar_var **out) {
  static const lar_attr none;
  lar_var *y[LAR_MAX_OUT], **turn_var = &c->arg[c->nin + c->nleaf];
  int nout = 0;
  LAR_TRY(hold_turn(turn_var, c, before));
  for (int k = 0; k < c->nin; k++) c->arg[k] = in[k];
  for (int k = 0; k < c->nout; k++)
    if (lar_plan_tag(c->plan, k) & RECORDED) y[nout++] = out[k];
  lar_status st = lar_call_record(&compiled, &none, c->nin + c->nleaf + 1, c->arg, nout, y);
  lar_var_unref(*turn_var);
  return st;
}

lar_status lar_compiled_call(lar_compiled *c, lar_var *const *in, lar_var **out) {
  lar_rng_marks before;
  lar_status st = LAR_OK;
  int n = 0;
  bool recorded = c->recorded && lar_grad_enabled();
  if (recorded && c->draws) lar_rng_mark(&before);
  LAR_TRY(lar_plan_run(c->plan, c->recorded ? LAR_RUN_FORWARD : LAR_RUN_ALL, c->nin,
                       (const lar_var *const *)in));
  c->turn = ++c->calls;
  for (; n < c->nout && st == LAR_OK; n++) {
    lar_var *v = lar_plan_result(c->plan, n);
    if (recorded && (lar_plan_tag(c->plan, n) & RECORDED))
      st = lar_var_new(&out[n], &v->t); /* a value of its own, for the history */
    else
      out[n] = lar_var_ref(v);
  }
  if (st == LAR_OK && recorded) st = record(c, &before, in, out);
  while (st != LAR_OK && n > 0) lar_var_unref(out[--n]);
  return st;
}
