#include "optim/optim.h"

#include <string.h>

#include "core/mem.h"
#include "core/par.h"
#include "kern/copy.h"
#include "optim/pass.h"
#include "penalty/compose.h"

enum { GRAIN = 16384 };

const lar_rule *lar_rule_find(const char *name) {
  for (const lar_rule *const *p = lar_rules; *p != NULL; p++)
    if (strcmp((*p)->name, name) == 0) return *p;
  return NULL;
}

/* ---- making ---- */

static lar_status copy_self(void **out, const lar_rule *rule, const void *self, bool decays) {
  LAR_TRY(lar_alloc(out, 1, rule->size));
  if (self != NULL)
    memcpy(*out, self, rule->size);
  else
    lar_param_default(rule->params, *out);
  return decays ? LAR_OK : lar_param_set(rule->params, *out, rule->name, rule->decay, 0);
}

static lar_status allocate(lar_optim *o, const void *self) {
  size_t n = (size_t)o->params.n + 1;
  void *p;
  LAR_TRY(copy_self(&o->self, o->rule, self, true));
  if (o->rule->decay != NULL) LAR_TRY(copy_self(&o->free_self, o->rule, o->self, false));
  LAR_TRY(lar_alloc(&p, n * LAR_RULE_STATES, sizeof(lar_tensor)));
  o->state = p;
  LAR_TRY(lar_alloc(&p, n, sizeof(lar_tensor)));
  o->average = p;
  LAR_TRY(lar_alloc(&p, n, sizeof(lar_tensor)));
  o->work = p;
  LAR_TRY(lar_alloc(&p, n, sizeof(lar_tensor)));
  o->backup = p;
  LAR_TRY(lar_alloc(&p, n, sizeof *o->group));
  o->group = p;
  for (int i = 0; i < o->params.n; i++) o->group[i] = -1;
  return LAR_OK;
}

static lar_status check_params(const lar_rule *rule, const lar_params *p) {
  if (p->n == 0) return lar_fail(LAR_EARG, "%s: there are no parameters", rule->name);
  for (int i = 0; i < p->n; i++)
    if (!lar_dtype_is_float(p->at[i].var->t.dtype))
      return lar_fail(LAR_EDTYPE, "%s: parameter '%s' is %s; only float tensors can be trained",
                      rule->name, p->at[i].name, lar_dtype_name(p->at[i].var->t.dtype));
  return LAR_OK;
}

static lar_status fill(lar_optim *o, const void *self, const lar_params *params, lar_reg *reg) {
  for (int i = 0; i < params->n; i++)
    LAR_TRY(
      lar_params_add(&o->params, params->at[i].name, params->at[i].var, params->at[i].kind));
  LAR_TRY(allocate(o, self));
  return lar_optim_penalty(o, reg);
}

lar_status lar_optim_new(lar_optim **out, const lar_rule *rule, const void *self, double lr,
                         const lar_params *params, lar_reg *reg) {
  void *p;
  *out = NULL;
  if (!(lr > 0 && lr < HUGE_VAL))
    return lar_fail(LAR_EARG, "%s: lr = %g; it must be above 0", rule->name, lr);
  LAR_TRY(check_params(rule, params));
  LAR_TRY(lar_alloc(&p, 1, sizeof(lar_optim)));
  lar_optim *o = p;
  o->rule = rule;
  o->lr = lr;
  lar_status st = fill(o, self, params, reg);
  if (st == LAR_OK)
    *out = o;
  else
    lar_optim_free(o);
  return st;
}

static void clear_all(lar_tensor *t, int n) {
  for (int i = 0; t != NULL && i < n; i++) lar_tensor_clear(&t[i]);
  lar_free(t);
}

static void clear_groups(lar_optim *o) {
  for (int k = 0; k < o->ngroup; k++) {
    lar_optim_group *g = &o->groups[k];
    for (int j = 0; g->on != NULL && j < g->non; j++) lar_free(g->on[j]);
    lar_free(g->on);
    lar_free(g->self);
    lar_free(g->free_self);
  }
  lar_free(o->groups);
}

void lar_optim_free(lar_optim *o) {
  if (o == NULL) return;
  clear_all(o->state, o->params.n * LAR_RULE_STATES);
  clear_all(o->average, o->params.n);
  clear_all(o->work, o->params.n);
  clear_all(o->backup, o->params.n);
  clear_groups(o);
  lar_storage_unref(o->metric);
  lar_bound_free(o->bound);
  lar_reg_unref(o->reg);
  lar_free(o->group);
  lar_free(o->self);
  lar_free(o->free_self);
  lar_params_clear(&o->params);
  lar_free(o);
}

lar_status lar_optim_penalty(lar_optim *o, lar_reg *reg) {
  lar_bound *bound = NULL;
  if (reg != NULL) LAR_TRY(lar_reg_bind(&bound, reg, &o->params));
  lar_status st = bound != NULL ? lar_bound_composes(bound) : LAR_OK;
  if (st != LAR_OK) {
    lar_bound_free(bound);
    return st;
  }
  lar_reg *former = o->reg;
  lar_bound_free(o->bound);
  o->bound = bound;
  o->reg = lar_reg_ref(reg);
  lar_reg_unref(former);
  return LAR_OK;
}

/* ---- groups ---- */

static bool listed(const lar_pentry *p, int non, const char *const *on) {
  for (int k = 0; k < non; k++)
    if (lar_glob(on[k], p->name) || lar_pkind_find(on[k]) == p->kind) return true;
  return false;
}

static lar_status fill_group(lar_optim *o, lar_optim_group *g, int non, const char *const *on,
                             const void *self, bool decays) {
  void *p;
  LAR_TRY(lar_alloc(&p, (size_t)non + 1, sizeof *g->on));
  g->on = p;
  for (; g->non < non; g->non++) LAR_TRY(lar_strdup(&g->on[g->non], on[g->non]));
  if (self == NULL) return LAR_OK;
  LAR_TRY(copy_self(&g->self, o->rule, self, true));
  return o->rule->decay == NULL || decays ? LAR_OK
                                          : copy_self(&g->free_self, o->rule, self, false);
}

lar_status lar_optim_add_group(lar_optim *o, int non, const char *const *on, double lr_scale,
                               const void *self, bool decays) {
  int found = 0;
  for (int i = 0; i < o->params.n; i++) found += listed(&o->params.at[i], non, on);
  if (found == 0)
    return lar_fail(LAR_EARG, "%s: group %d on '%s' matches no parameter; there are: %s",
                    o->rule->name, o->ngroup + 1, non > 0 ? on[0] : "",
                    lar_params_text(&o->params));
  void *p = o->groups;
  size_t cap = (size_t)o->ngroup;
  LAR_TRY(lar_grow(&p, &cap, cap + 1, sizeof *o->groups));
  o->groups = p;
  lar_optim_group *g = &o->groups[o->ngroup++]; /* counted at once: cleared with the others */
  *g = (lar_optim_group){.lr_scale = lr_scale};
  LAR_TRY(fill_group(o, g, non, on, self, decays));
  for (int i = 0; i < o->params.n; i++)
    if (o->group[i] < 0 && listed(&o->params.at[i], non, on)) o->group[i] = o->ngroup - 1;
  return LAR_OK;
}

static const void *self_of(const lar_optim *o, int i) {
  const lar_optim_group *g = o->group[i] >= 0 ? &o->groups[o->group[i]] : NULL;
  bool free = o->params.at[i].kind != LAR_WEIGHT;
  if (g != NULL && g->self != NULL)
    return free && g->free_self != NULL ? g->free_self : g->self;
  return free && o->free_self != NULL ? o->free_self : o->self;
}

/* Set in `self` unless it holds something else than `former`. */
static void follow(const lar_param *p, void *self, double former, double v) {
  if (self != NULL && lar_param_get(p, self) == former)
    memcpy((char *)self + p->at, &v, sizeof v);
}

lar_status lar_optim_set(lar_optim *o, const char *name, double v) {
  const lar_param *p = lar_param_find(o->rule->params, name);
  double former = p != NULL ? lar_param_get(p, o->self) : 0;
  LAR_TRY(lar_param_set(o->rule->params, o->self, o->rule->name, name, v));
  bool decay = o->rule->decay != NULL && strcmp(name, o->rule->decay) == 0;
  if (!decay) follow(p, o->free_self, former, v);
  for (int k = 0; k < o->ngroup; k++) {
    follow(p, o->groups[k].self, former, v);
    if (!decay) follow(p, o->groups[k].free_self, former, v);
  }
  return LAR_OK;
}

/* ---- a step ---- */

void lar_optim_zero_grad(lar_optim *o) {
  for (int i = 0; i < o->params.n; i++) {
    lar_var_unref(o->params.at[i].var->grad);
    o->params.at[i].var->grad = NULL;
  }
}

/* A contiguous tensor like w, kept from step to step. */
static lar_status like(lar_tensor *t, const lar_tensor *w) {
  if (t->storage != NULL && t->dtype == w->dtype) return LAR_OK;
  lar_tensor_clear(t);
  return lar_tensor_zeros(t, w->dtype, w->ndim, w->shape);
}

/* The same, with the values it has in another dtype. */
static lar_status state_like(lar_tensor *t, const lar_tensor *w) {
  if (t->storage == NULL || t->dtype == w->dtype) return like(t, w);
  lar_tensor former = *t;
  *t = (lar_tensor){0};
  lar_status st = lar_clone(t, &former, w->dtype);
  if (st == LAR_OK)
    lar_tensor_clear(&former);
  else
    *t = former;
  return st;
}

lar_status lar_optim_ready(lar_optim *o, int i) {
  const lar_tensor *w = &o->params.at[i].var->t;
  unsigned uses = o->rule->uses != NULL ? o->rule->uses(self_of(o, i)) : ~0u;
  for (int k = 0; k < o->rule->nstate; k++)
    if (uses & (1u << k)) LAR_TRY(state_like(&o->state[i * LAR_RULE_STATES + k], w));
  if (o->ema == 0) return LAR_OK;
  LAR_TRY(like(&o->backup[i], w));
  if (o->average[i].storage == NULL) return lar_clone(&o->average[i], w, w->dtype);
  return state_like(&o->average[i], w);
}

static bool has_penalty(const lar_optim *o, int i) {
  return o->bound != NULL &&
         (lar_bound_has_grad(o->bound, i) || lar_bound_has_prox(o->bound, i));
}

static bool moves(const lar_optim *o, int i) {
  const lar_var *v = o->params.at[i].var;
  return v->requires_grad && (v->grad != NULL || has_penalty(o, i));
}

/* May the gradient be used where it lies? */
static bool as_it_is(const lar_optim *o, int i) {
  const lar_var *v = o->params.at[i].var;
  return v->grad != NULL && v->grad->t.dtype == v->t.dtype && o->clip_norm == 0 &&
         o->clip_value == 0 && lar_tensor_is_contiguous(&v->grad->t) &&
         !(o->bound != NULL && lar_bound_has_grad(o->bound, i));
}

static const lar_tensor *gradient(const lar_optim *o, int i) {
  return as_it_is(o, i) ? &o->params.at[i].var->grad->t : &o->work[i];
}

static lar_status gather(lar_optim *o, int i) {
  const lar_var *v = o->params.at[i].var;
  if (v->grad != NULL && !lar_tensor_same_shape(&v->grad->t, &v->t))
    return lar_fail(LAR_ESHAPE, "%s: the gradient of '%s' has shape %s, not %s", o->rule->name,
                    o->params.at[i].name, lar_tensor_text(&v->grad->t), lar_tensor_text(&v->t));
  if (as_it_is(o, i)) return LAR_OK;
  LAR_TRY(like(&o->work[i], &v->t));
  if (v->grad != NULL) return lar_copy(&o->work[i], &v->grad->t);
  lar_fill(&o->work[i], 0);
  return LAR_OK;
}

/* A pass over the elements of one tensor, in chunks. */
typedef struct pass {
  const lar_tensor *x, *y;
  double a, b, *part;
  int64_t grain;
} pass;

static void *from(const lar_tensor *t, int64_t at) {
  return (char *)lar_tensor_data(t) + at * (int64_t)lar_dtype_size(t->dtype);
}

static void squares_part(void *ctx, int64_t begin, int64_t end) {
  const pass *p = ctx;
  p->part[begin / p->grain] = (p->x->dtype == LAR_F32 ? lar_squares_f32 : lar_squares_f64)(
    end - begin, from(p->x, begin));
}

static void clip_part(void *ctx, int64_t begin, int64_t end) {
  const pass *p = ctx;
  (p->x->dtype == LAR_F32 ? lar_clip_f32 : lar_clip_f64)(end - begin, from(p->x, begin), p->a,
                                                         p->b);
}

static void lerp_part(void *ctx, int64_t begin, int64_t end) {
  const pass *p = ctx;
  (p->x->dtype == LAR_F32 ? lar_lerp_f32 : lar_lerp_f64)(end - begin, from(p->x, begin),
                                                         from(p->y, begin), p->a);
}

static double squares(const lar_tensor *g) {
  enum { PARTS = 256 };
  double part[PARTS], sum = 0;
  int64_t n = lar_tensor_numel(g), grain = (n + PARTS - 1) / PARTS;
  pass p = {.x = g, .part = part, .grain = grain < GRAIN ? GRAIN : grain};
  lar_par_for(n, p.grain, squares_part, &p);
  for (int64_t k = 0; k * p.grain < n; k++) sum += part[k];
  return sum;
}

/* Gradients as the rule will see them: clipped, with the smooth penalties'. */
static lar_status gradients(lar_optim *o) {
  double sum = 0;
  for (int i = 0; i < o->params.n; i++) {
    if (!moves(o, i)) continue;
    LAR_TRY(gather(o, i));
    if (o->params.at[i].var->grad != NULL) sum += squares(gradient(o, i));
  }
  o->grad_norm = sqrt(sum);
  bool shrinks = o->clip_norm > 0 && o->grad_norm > o->clip_norm;
  pass p = {.a = shrinks ? o->clip_norm / o->grad_norm : 1,
            .b = o->clip_value > 0 ? o->clip_value : HUGE_VAL};
  for (int i = 0; i < o->params.n; i++) {
    if (!moves(o, i)) continue;
    p.x = &o->work[i];
    if (shrinks || o->clip_value > 0) lar_par_for(lar_tensor_numel(p.x), GRAIN, clip_part, &p);
    if (o->bound != NULL && lar_bound_has_grad(o->bound, i))
      LAR_TRY(lar_bound_grad(o->bound, i, p.x));
  }
  return LAR_OK;
}

typedef struct update {
  lar_update *fn;
  const void *self;
  double lr;
  int64_t t;
  const lar_tensor *w, *g, *metric;
  const lar_tensor *state;
  int nstate;
  lar_fused *fused; /* a prox to follow in each chunk; or NULL */
} update;

static void update_part(void *ctx, int64_t begin, int64_t end) {
  const update *u = ctx;
  void *state[LAR_RULE_STATES] = {NULL};
  for (int k = 0; k < u->nstate; k++)
    if (u->state[k].storage != NULL) state[k] = from(&u->state[k], begin);
  u->fn(u->self, u->lr, u->t, end - begin, from(u->w, begin), from(u->g, begin), state,
        u->metric != NULL ? from(u->metric, begin) : NULL);
  if (u->fused != NULL) u->fused->body(&u->fused->s, begin, end);
}

/* Room for the metric of the largest parameter. */
static lar_status room(lar_optim *o) {
  size_t most = 0;
  for (int i = 0; i < o->params.n; i++) {
    const lar_tensor *w = &o->params.at[i].var->t;
    size_t bytes = (size_t)lar_tensor_numel(w) * lar_dtype_size(w->dtype);
    if (o->bound != NULL && lar_bound_has_prox(o->bound, i) && bytes > most) most = bytes;
  }
  if (!o->rule->diagonal || most == 0 || (o->metric != NULL && o->metric->bytes >= most))
    return LAR_OK;
  lar_storage_unref(o->metric);
  o->metric = NULL;
  return lar_storage_new(&o->metric, most);
}

static lar_tensor metric_of(const lar_optim *o, const lar_tensor *w) {
  lar_tensor m = {.storage = o->metric, .dtype = w->dtype, .ndim = w->ndim};
  memcpy(m.shape, w->shape, sizeof m.shape);
  lar_shape_strides(m.ndim, m.shape, m.stride);
  return m;
}

static lar_status move(lar_optim *o, int i) {
  lar_tensor *to = &o->params.at[i].var->t, w = {0};
  bool prox = o->bound != NULL && lar_bound_has_prox(o->bound, i);
  LAR_TRY(lar_contiguous(&w, to, to->dtype));
  lar_tensor metric = metric_of(o, to);
  update u = {.fn = o->rule->update[to->dtype == LAR_F64],
              .self = self_of(o, i),
              .lr = o->lr * (o->group[i] >= 0 ? o->groups[o->group[i]].lr_scale : 1),
              .t = o->t,
              .w = &w,
              .g = gradient(o, i),
              .metric = prox && o->rule->diagonal ? &metric : NULL,
              .state = &o->state[i * LAR_RULE_STATES],
              .nstate = o->rule->nstate};
  double step = u.lr * (o->rule->gain != NULL ? o->rule->gain(u.self, o->t) : 1);
  lar_fused fused;
  if (prox && lar_bound_fuse(o->bound, i, &fused, &w, step, u.metric)) u.fused = &fused;
  lar_par_for(lar_tensor_numel(&w), GRAIN, update_part, &u);
  lar_status st = u.fused != NULL ? lar_compose_rest(&fused, &w, u.metric) : LAR_OK;
  if (st == LAR_OK && lar_tensor_data(&w) != lar_tensor_data(to)) st = lar_copy(to, &w);
  lar_tensor_clear(&w);
  to->storage->version++;
  if (st == LAR_OK && prox && u.fused == NULL) st = lar_bound_prox(o->bound, i, step, u.metric);
  return st;
}

/* Everything that can fail for want of memory or by a callback, before anything moves. */
static lar_status prepare(lar_optim *o, void *state) {
  if (o->bound != NULL) LAR_TRY(lar_bound_refresh(o->bound, state));
  if (o->bound != NULL) LAR_TRY(lar_bound_seen(o->bound));
  LAR_TRY(gradients(o));
  LAR_TRY(room(o));
  bool keep = o->bound != NULL && lar_bound_prox_may_fail(o->bound);
  for (int i = 0; i < o->params.n; i++) {
    const lar_tensor *w = &o->params.at[i].var->t;
    if (!moves(o, i)) continue;
    LAR_TRY(lar_optim_ready(o, i));
    if (!keep) continue;
    LAR_TRY(like(&o->backup[i], w));
    LAR_TRY(lar_copy(&o->backup[i], w));
  }
  return LAR_OK;
}

static void restore(lar_optim *o) {
  for (int i = 0; i < o->params.n; i++) {
    lar_tensor *w = &o->params.at[i].var->t;
    if (!moves(o, i) || o->backup[i].storage == NULL || o->backup[i].dtype != w->dtype)
      continue;
    (void)lar_copy(w, &o->backup[i]);
    w->storage->version++;
  }
}

/* Averages forget the start sooner than the decay alone would. */
static lar_status average(lar_optim *o) {
  double t = (double)o->t, decay = fmin(o->ema, (1 + t) / (10 + t));
  for (int i = 0; i < o->params.n; i++) {
    lar_tensor w = {0};
    if (!moves(o, i)) continue;
    LAR_TRY(lar_contiguous(&w, &o->params.at[i].var->t, o->params.at[i].var->t.dtype));
    pass p = {.x = &o->average[i], .y = &w, .a = 1 - decay};
    lar_par_for(lar_tensor_numel(&w), GRAIN, lerp_part, &p);
    lar_tensor_clear(&w);
  }
  return LAR_OK;
}

lar_status lar_optim_step(lar_optim *o, void *state) {
  lar_status st = LAR_OK;
  LAR_TRY(prepare(o, state));
  o->t++;
  for (int i = 0; st == LAR_OK && i < o->params.n; i++)
    if (moves(o, i)) st = move(o, i);
  if (st != LAR_OK) {
    restore(o);
    return st;
  }
  return o->ema > 0 ? average(o) : LAR_OK;
}

/* ---- averages ---- */

void lar_optim_swap_ema(lar_optim *o) {
  for (int i = 0; i < o->params.n; i++) {
    lar_tensor *w = &o->params.at[i].var->t, *a = &o->average[i], *keep = &o->backup[i];
    if (a->storage == NULL || keep->storage == NULL || keep->dtype != w->dtype) continue;
    (void)lar_copy(keep, w);
    (void)lar_copy(w, a);
    (void)lar_copy(a, keep);
    w->storage->version++;
  }
}
