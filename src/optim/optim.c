#include "optim/optim.h"

#include <string.h>

#include "core/mem.h"
#include "kern/copy.h"
#include "optim/step.h"

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
  LAR_TRY(lar_alloc(&p, n, sizeof(lar_tensor)));
  o->sum = p;
  LAR_TRY(lar_alloc(&p, n, sizeof *o->factor));
  o->factor = p;
  LAR_TRY(lar_alloc(&p, n, sizeof(lar_tensor)));
  o->aside = p;
  LAR_TRY(lar_alloc(&p, n, sizeof *o->way));
  o->way = p;
  LAR_TRY(lar_alloc(&p, n, sizeof *o->group));
  o->group = p;
  for (int i = 0; i < o->params.n; i++) o->group[i] = -1;
  return LAR_OK;
}

static lar_status check_params(const lar_rule *rule, const lar_params *p) {
  if (p->n == 0) return lar_fail(LAR_EARG, "%s: there are no parameters", rule->name);
  bool moves = false;
  for (int i = 0; i < p->n; i++) {
    if (!lar_dtype_is_float(p->at[i].var->t.dtype))
      return lar_fail(LAR_EDTYPE, "%s: parameter '%s' is %s; only float tensors can be trained",
                      rule->name, p->at[i].name, lar_dtype_name(p->at[i].var->t.dtype));
    moves = moves || p->at[i].var->requires_grad;
  }
  return moves ? LAR_OK
               : lar_fail(LAR_EARG,
                          "%s: every parameter of the model is frozen; unfreeze() those "
                          "that are to be trained, or say requires_grad of a tensor",
                          rule->name);
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
  clear_all(o->sum, o->params.n);
  clear_all(o->aside, o->params.n);
  clear_groups(o);
  for (int i = 0; o->factor != NULL && i < o->params.n; i++)
    lar_optim_factors(o, i, NULL, NULL);
  lar_free(o->factor);
  lar_free(o->packed);
  lar_tensor_clear(&o->memory);
  lar_var_unref(o->along);
  lar_free(o->bent);
  lar_storage_unref(o->metric);
  lar_free(o->way);
  lar_free(o->chunk);
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
  if (st == LAR_OK && bound != NULL && o->rule->takes != NULL) st = o->rule->takes(o, bound);
  if (st != LAR_OK) {
    lar_bound_free(bound);
    return st;
  }
  lar_reg *former = o->reg;
  lar_bound_free(o->bound);
  o->bound = bound;
  o->refreshed = false;
  o->stamp = 0;
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

const void *lar_optim_self(const lar_optim *o, int i) {
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
