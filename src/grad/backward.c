#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "grad/grad.h"
#include "grad/trace.h"
#include "kern/copy.h"
#include "op/calc.h"
#include "op/call.h"

/* A recorded call on the way back, and the gradients of its outputs so far. */
typedef struct visit {
  lar_call *call;
  lar_var *g[LAR_MAX_OUT];
  bool leads; /* to something asked for */
} visit;

enum { FEW = 32 };

typedef struct walk {
  visit *at; /* by rising order of creation */
  size_t n, cap;
  visit few[FEW];
  lar_var *const *target; /* NULL: all leaves */
  lar_var **found;        /* gradients of targets */
  int ntarget;
  bool create_graph;
} walk;

static uint64_t walks;

static lar_status grow(walk *w) {
  void *p;
  LAR_TRY(lar_alloc_raw(&p, 2 * w->cap, sizeof *w->at));
  memcpy(p, w->at, w->n * sizeof *w->at);
  if (w->at != w->few) lar_free(w->at);
  w->at = p;
  w->cap *= 2;
  return LAR_OK;
}

static lar_status enlist(walk *w, lar_call *c, uint64_t mark) {
  if (c == NULL || c->mark == mark) return LAR_OK;
  if (w->n == w->cap) LAR_TRY(grow(w));
  c->mark = mark;
  w->at[w->n++] = (visit){.call = lar_call_ref(c)};
  return LAR_OK;
}

/* Collect the calls that the roots hang on, without recursion: the list is its own queue. */
static lar_status collect(walk *w, int n, lar_var *const *root) {
  uint64_t mark = ++walks;
  for (int k = 0; k < n; k++) LAR_TRY(enlist(w, root[k]->maker, mark));
  for (size_t i = 0; i < w->n; i++) {
    const lar_call *c = w->at[i].call;
    for (int j = 0; j < c->nin; j++) LAR_TRY(enlist(w, c->in[j]->maker, mark));
  }
  return LAR_OK;
}

static int by_seq(const void *a, const void *b) {
  uint64_t x = ((const visit *)a)->call->seq, y = ((const visit *)b)->call->seq;
  return x < y ? -1 : x > y;
}

/* They come from the last to the first, more often than not. */
static void put_in_order(walk *w) {
  size_t k = 1;
  while (k < w->n && by_seq(&w->at[k - 1], &w->at[k]) > 0) k++;
  if (k < w->n)
    qsort(w->at, w->n, sizeof *w->at, by_seq);
  else
    for (size_t i = 0; i < w->n / 2; i++) {
      visit former = w->at[i];
      w->at[i] = w->at[w->n - 1 - i];
      w->at[w->n - 1 - i] = former;
    }
  for (size_t i = 0; i < w->n; i++) w->at[i].call->at = i;
}

static visit *find(const walk *w, const lar_call *c) {
  return c->at < w->n && w->at[c->at].call == c ? &w->at[c->at] : NULL;
}

static bool same_value(const lar_var *a, const lar_var *b) {
  return a == b || (a->maker != NULL && a->maker == b->maker && a->index == b->index);
}

static int target_of(const walk *w, const lar_var *v) {
  for (int k = 0; k < w->ntarget; k++)
    if (same_value(w->target[k], v)) return k;
  return -1;
}

/* Which calls lead to a target? Makers come before users, so one pass upwards is enough. */
static void mark_leads(walk *w) {
  for (size_t i = 0; i < w->n; i++) {
    visit *at = &w->at[i];
    at->leads = w->target == NULL;
    for (int j = 0; j < at->call->nin && !at->leads; j++) {
      const lar_var *x = at->call->in[j];
      const visit *maker = x->maker != NULL ? find(w, x->maker) : NULL;
      at->leads = target_of(w, x) >= 0 || (maker != NULL && maker->leads);
    }
  }
}

/* *sum += g, taking no reference of g away. */
static lar_status accumulate(lar_var **sum, lar_var *g) {
  if (*sum == NULL) {
    *sum = lar_var_ref(g);
    return LAR_OK;
  }
  lar_var *out[LAR_MAX_OUT];
  int nout;
  LAR_TRY(lar_op_apply(LAR_OP(add), NULL, 2, (lar_var *[]){*sum, g}, &nout, out));
  lar_var_unref(*sum);
  *sum = out[0];
  return LAR_OK;
}

/* A leaf's gradient is the user's to change: row-major, on storage of its own. */
static lar_status to_leaf(lar_var *leaf, lar_var *g, bool create_graph) {
  lar_scope s;
  lar_scope_init(&s);
  lar_var *sum = leaf->grad != NULL ? lar_add(&s, leaf->grad, g) : g;
  bool shared = sum == g && (!lar_tensor_is_contiguous(&g->t) || g->refs > 2 ||
                             lar_storage_refs(g->t.storage) > 1 + lar_trace_holds());
  if (!create_graph && shared) sum = LAR_CALL1(&s, clone, sum);
  lar_var *fresh = NULL;
  lar_status st = lar_scope_take(&s, sum, &fresh);
  lar_scope_clear(&s);
  if (st != LAR_OK) return st;
  lar_var_unref(leaf->grad);
  leaf->grad = fresh;
  return LAR_OK;
}

/* Hand a gradient to the value it belongs to. */
static lar_status deliver(walk *w, lar_var *x, lar_var *g) {
  int k = target_of(w, x);
  if (k >= 0) LAR_TRY(accumulate(&w->found[k], g));
  if (x->maker == NULL)
    return w->target == NULL && x->requires_grad ? to_leaf(x, g, w->create_graph) : LAR_OK;
  visit *maker = find(w, x->maker);
  return maker != NULL && maker->leads ? accumulate(&maker->g[x->index], g) : LAR_OK;
}

static bool wanted(const walk *w, const lar_var *x) {
  if (!x->requires_grad) return false;
  if (w->target == NULL || target_of(w, x) >= 0) return true;
  const visit *maker = x->maker != NULL ? find(w, x->maker) : NULL;
  return maker != NULL && maker->leads;
}

static lar_status run_vjp(walk *w, visit *at, lar_scope *s, lar_var **y, lar_var **gx,
                          bool *need) {
  lar_call *c = at->call;
  for (int k = 0; k < c->nout; k++) {
    LAR_TRY(lar_call_output(c, k, &y[k]));
    lar_scope_own(s, y[k]);
  }
  for (int j = 0; j < c->nin; j++) need[j] = wanted(w, c->in[j]);
  lar_vjp v = {.s = s,
               .attr = &c->attr,
               .nin = c->nin,
               .nout = c->nout,
               .x = c->in,
               .y = y,
               .g = at->g,
               .need = need,
               .gx = gx};
  c->op->vjp(&v);
  for (int j = 0; j < c->nin && s->status == LAR_OK; j++) {
    if (gx[j] == NULL || !need[j]) continue;
    gx[j] = lar_cast(s, lar_sum_to(s, gx[j], &c->in[j]->t), c->in[j]->t.dtype);
    if (gx[j] == NULL) break;
    lar_status st = deliver(w, c->in[j], gx[j]);
    if (st != LAR_OK) return st;
  }
  return s->status;
}

static lar_status step(walk *w, visit *at) {
  enum { INPUTS = 8 };
  lar_var *y[LAR_MAX_OUT] = {0}, *few[INPUTS] = {0}, **gx = few;
  bool few_need[INPUTS], *need = few_need;
  void *many = NULL;
  bool any = false;
  for (int k = 0; k < at->call->nout; k++) any = any || at->g[k] != NULL;
  if (!any || !at->leads) return LAR_OK;
  LAR_TRY(lar_call_fresh(at->call));
  if (at->call->nin > INPUTS) {
    LAR_TRY(lar_alloc(&many, (size_t)at->call->nin, sizeof(lar_var *) + sizeof(bool)));
    gx = many;
    need = (bool *)(gx + at->call->nin);
  }
  lar_scope s;
  lar_scope_init(&s);
  lar_status st = run_vjp(w, at, &s, y, gx, need);
  lar_scope_clear(&s);
  lar_free(many);
  for (int k = 0; k < at->call->nout; k++) { /* done with these */
    lar_var_unref(at->g[k]);
    at->g[k] = NULL;
  }
  return st;
}

static lar_status seeded(lar_var *f, lar_var *seed, lar_var **out) {
  lar_scope s;
  lar_scope_init(&s);
  lar_var *one = seed;
  lar_status st = LAR_OK;
  if (!lar_dtype_is_float(f->t.dtype))
    st = lar_fail(LAR_EDTYPE, "backward: a %s tensor has no derivative",
                  lar_dtype_name(f->t.dtype));
  else if (seed == NULL && lar_tensor_numel(&f->t) != 1)
    st = lar_fail(LAR_ESHAPE,
                  "backward: a value of shape %s needs a gradient of that shape to "
                  "start from; or take its sum",
                  lar_tensor_text(&f->t));
  else if (seed != NULL && !lar_tensor_same_shape(&seed->t, &f->t))
    st = lar_fail(LAR_ESHAPE, "backward: the gradient to start from has shape %s, the value %s",
                  lar_tensor_text(&seed->t), lar_tensor_text(&f->t));
  if (st == LAR_OK) {
    if (one == NULL) one = lar_const_like(&s, f, 1);
    if (one != NULL && one->t.ndim != f->t.ndim)
      one = lar_reshape(&s, one, f->t.ndim, f->t.shape);
    st = lar_scope_take(&s, lar_cast(&s, one, f->t.dtype), out);
  }
  lar_scope_clear(&s);
  return st;
}

static lar_status start(walk *w, lar_var *f, lar_var *seed) {
  lar_var *g = NULL;
  LAR_TRY(seeded(f, seed, &g));
  lar_status st = deliver(w, f, g);
  lar_var_unref(g);
  return st;
}

static lar_status go(walk *w, int n, lar_var *const *f, lar_var *const *seed) {
  lar_status st = collect(w, n, f);
  LAR_GO(st);
  put_in_order(w);
  mark_leads(w);
  for (int k = 0; k < n; k++) LAR_GO(start(w, f[k], seed != NULL ? seed[k] : NULL));
  for (size_t i = w->n; i > 0 && st == LAR_OK; i--) st = step(w, &w->at[i - 1]);
done:
  for (size_t i = 0; i < w->n; i++) {
    for (int k = 0; k < LAR_MAX_OUT; k++) lar_var_unref(w->at[i].g[k]);
    lar_call_unref(w->at[i].call);
  }
  if (w->at != w->few) lar_free(w->at);
  return st;
}

static void begin(walk *w, int ntarget, lar_var *const *target, lar_var **found,
                  bool create_graph) {
  w->at = w->few;
  w->n = 0;
  w->cap = FEW;
  w->target = target;
  w->found = found;
  w->ntarget = ntarget;
  w->create_graph = create_graph;
}

lar_status lar_backward(lar_var *f, lar_var *seed, bool create_graph) {
  if (!f->requires_grad)
    return lar_fail(LAR_EARG, "backward: the value was made without a tensor that requires a "
                              "gradient; nothing was recorded");
  walk w;
  begin(&w, 0, NULL, NULL, create_graph);
  bool former = lar_grad_mode(create_graph);
  lar_status st = go(&w, 1, &f, &seed);
  lar_grad_mode(former);
  return st;
}

lar_status lar_grad_paths(int nf, lar_var *const *f, lar_var *const *seed, int n,
                          lar_var *const *x, bool create_graph, lar_var **out) {
  for (int k = 0; k < n; k++) out[k] = NULL;
  walk w;
  begin(&w, n, x, out, create_graph);
  bool former = lar_grad_mode(create_graph);
  lar_status st = go(&w, nf, f, seed);
  for (int k = 0; k < n && st == LAR_OK; k++)
    if (out[k] == NULL && target_of(&w, x[k]) < k) /* asked for twice */
      out[k] = lar_var_ref(out[target_of(&w, x[k])]);
  for (int k = 0; k < n && st != LAR_OK; k++) {
    lar_var_unref(out[k]);
    out[k] = NULL;
  }
  lar_grad_mode(former);
  return st;
}

/* No path: the derivative is zero. */
static lar_status no_path(lar_var **out, const lar_tensor *x) {
  lar_tensor zero = {0};
  LAR_TRY(lar_tensor_zeros(&zero, x->dtype, x->ndim, x->shape));
  lar_status st = lar_var_new(out, &zero);
  lar_tensor_clear(&zero);
  return st;
}

lar_status lar_grad(lar_var *f, lar_var *seed, int n, lar_var *const *x, bool create_graph,
                    lar_var **out) {
  LAR_TRY(lar_grad_paths(1, &f, &seed, n, x, create_graph, out));
  lar_status st = LAR_OK;
  for (int k = 0; k < n && st == LAR_OK; k++)
    if (out[k] == NULL) st = no_path(&out[k], &x[k]->t);
  for (int k = 0; k < n && st != LAR_OK; k++) {
    lar_var_unref(out[k]);
    out[k] = NULL;
  }
  return st;
}
