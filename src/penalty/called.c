#include "penalty/called.h"

#include "core/mem.h"
#include "grad/grad.h"
#include "grad/key.h"
#include "grad/plan.h"
#include "kern/copy.h"
#include "penalty/compose.h"

enum { TRIES = 3, AGAIN = 50 }; /* runs after which the function is traced again */

struct lar_called {
  lar_key key, next;
  lar_var *leaf;    /* on the parameter's elements */
  lar_trace *trace; /* of the last traced run of this key */
  lar_plan *plan;
  int tries, runs;
};

/* ---- the function itself ---- */

static lar_status add(double l, const lar_var *d, const lar_tensor *g) {
  lar_tensor flat = {0};
  if (d == NULL) return LAR_OK;
  LAR_TRY(lar_contiguous(&flat, &d->t, g->dtype));
  lar_axpy(l, &flat, g);
  lar_tensor_clear(&flat);
  return LAR_OK;
}

/* Omega and its derivative; *d stays NULL where there is none. */
static lar_status call(const lar_term *t, double l, lar_var *leaf, lar_var **f, lar_var **d) {
  LAR_TRY(t->value_fn(t->ctx, l, leaf, f));
  return (*f)->requires_grad ? lar_grad(*f, NULL, 1, &leaf, false, d) : LAR_OK;
}

static lar_status finish(lar_status st, double l, lar_var *f, lar_var *d, double *value,
                         const lar_tensor *g) {
  if (st == LAR_OK) st = lar_var_item(f, value);
  *value *= l;
  if (st == LAR_OK) st = add(l, d, g);
  lar_var_unref(d);
  lar_var_unref(f);
  return st;
}

static lar_status plainly(const lar_called *c, const lar_term *t, double l, double *value,
                          const lar_tensor *g) {
  lar_var *f = NULL, *d = NULL;
  lar_status st = call(t, l, c->leaf, &f, &d);
  return finish(st, l, f, d, value, g);
}

/* ---- while it is traced ---- */

/* A plan when this trace did what the one before did; else it is the one to compare with. */
static void learn(lar_called *c, lar_trace *t) {
  bool good = t->why[0] == '\0' && t->nout == 2;
  if (good && c->trace != NULL && lar_trace_agree(c->trace, t)) {
    if (c->plan == NULL && lar_plan_new(&c->plan, t) != LAR_OK) c->tries = TRIES;
    lar_trace_free(t);
    return;
  }
  if (!good || c->trace != NULL) c->tries++;
  lar_plan_free(c->plan);
  lar_trace_free(c->trace);
  c->plan = NULL;
  c->trace = good ? t : NULL;
  t->why[0] = '\0';
  if (good)
    lar_trace_let_go(t);
  else
    lar_trace_free(t);
}

static lar_status traced(lar_called *c, const lar_term *t, double l, double *value,
                         const lar_tensor *g) {
  lar_trace *trace;
  lar_var *f = NULL, *d = NULL, *alias = NULL;
  LAR_TRY(lar_trace_new(&trace, false));
  lar_status st = lar_trace_input(trace, c->leaf, &alias);
  if (st == LAR_OK) {
    lar_trace_begin(trace);
    st = call(t, l, alias, &f, &d);
    if (st == LAR_OK && d != NULL && lar_trace_made(trace, f) && lar_trace_made(trace, d)) {
      lar_trace_output(trace, f, 0, false);
      lar_trace_output(trace, d, 1, true);
    }
    lar_trace_end(trace);
  }
  if (st == LAR_OK)
    learn(c, trace);
  else
    lar_trace_free(trace);
  lar_var_unref(alias);
  return finish(st, l, f, d, value, g);
}

/* ---- by plan ---- */

static lar_status planned(lar_called *c, double l, double *value, const lar_tensor *g) {
  const lar_var *in[] = {c->leaf};
  LAR_TRY(lar_plan_run(c->plan, LAR_RUN_ALL, 1, in));
  return finish(LAR_OK, l, lar_var_ref(lar_plan_result(c->plan, 0)),
                lar_var_ref(lar_plan_result(c->plan, 1)), value, g);
}

/* ---- which ---- */

static void forget(lar_called *c) {
  lar_trace_free(c->trace);
  lar_plan_free(c->plan);
  c->trace = NULL;
  c->plan = NULL;
  c->tries = c->runs = 0;
}

void lar_called_free(lar_called *c) {
  if (c == NULL) return;
  forget(c);
  lar_free(c->key.at);
  lar_free(c->next.at);
  lar_var_unref(c->leaf);
  lar_free(c);
}

/* Is everything under the key of the run before? */
static bool same_key(lar_called *c, const lar_term *t, double l) {
  lar_key *k = &c->next;
  lar_key_empty(k);
  lar_key_layout(k, c->leaf);
  lar_key_put(k, &l, sizeof l);
  if (t->key_fn != NULL) t->key_fn(t->ctx, k);
  bool same = k->status == LAR_OK && lar_key_same(k, &c->key);
  lar_key former = c->key;
  c->key = c->next;
  c->next = former;
  return same;
}

static lar_status ready(lar_called **state, const lar_tensor *w) {
  void *p = *state;
  if (p == NULL) LAR_TRY(lar_alloc(&p, 1, sizeof(lar_called)));
  lar_called *c = *state = p;
  if (c->leaf != NULL && c->leaf->refs == 1 && c->leaf->t.storage == w->storage) return LAR_OK;
  lar_var_unref(c->leaf);
  LAR_TRY(lar_var_new(&c->leaf, w));
  c->leaf->requires_grad = true;
  return LAR_OK;
}

static lar_status gradient(lar_called *c, const lar_term *t, double l, double *value,
                           const lar_tensor *g) {
  bool same = same_key(c, t, l);
  if (c->key.partial) return plainly(c, t, l, value, g);
  if (!same || (c->plan != NULL && !lar_plan_holds(c->plan))) forget(c);
  if (c->plan != NULL && c->runs++ % AGAIN != AGAIN - 1) return planned(c, l, value, g);
  if (same && c->tries < TRIES && !lar_op_traced()) return traced(c, t, l, value, g);
  return plainly(c, t, l, value, g);
}

lar_status lar_called_gradient(lar_called **state, const lar_term *t, double l,
                               const lar_tensor *w, double *value, const lar_tensor *g) {
  lar_called *once = NULL;
  bool former = lar_grad_mode(true);
  lar_status st = ready(state != NULL ? state : &once, w);
  if (st == LAR_OK)
    st = state != NULL ? gradient(*state, t, l, value, g) : plainly(once, t, l, value, g);
  lar_called_free(once);
  (void)lar_grad_mode(former);
  return st;
}
