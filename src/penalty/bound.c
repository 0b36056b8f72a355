/* A regulariser fixed to the parameters of a model. */
#include <string.h>

#include "core/mem.h"
#include "grad/grad.h"
#include "kern/copy.h"
#include "penalty/bound.h"

/* ---- scopes ---- */

/* Does the last part of a name hold a wildcard? */
static bool loose(const char *glob) {
  const char *dot = strrchr(glob, '.');
  return strpbrk(dot != NULL ? dot : glob, "*?") != NULL;
}

static bool named(const lar_on *on, const lar_pentry *p) {
  for (int k = 0; k < on->n; k++) {
    const char *name = on->names[k];
    if (lar_pkind_find(name) == p->kind) return true;
    if (lar_glob(name, p->name) && (p->kind == LAR_WEIGHT || !loose(name))) return true;
  }
  return false;
}

static lar_status covers(const lar_addend *a, const lar_pentry *p, bool all, bool *yes) {
  if (all)
    *yes = true;
  else if (a->on == NULL)
    *yes = p->kind == LAR_WEIGHT;
  else if (a->on->match != NULL)
    return a->on->match(a->on->ctx, p, yes);
  else
    *yes = named(a->on, p);
  return LAR_OK;
}

static lar_status nothing(const lar_bound *b, int k) {
  const lar_on *on = b->reg->at[k].on;
  const char *what = on == NULL ? "weight" : on->n > 0 ? on->names[0] : "a function";
  return lar_fail(LAR_EARG, "penalty %s on '%s%s' matches no parameter; there are: %s",
                  b->name[k], what, on != NULL && on->n > 1 ? "', ..." : "",
                  lar_params_text(b->params));
}

/* ---- pieces ---- */

static void piece_clear(piece *p) {
  lar_groups_clear(&p->groups);
  lar_tensor_clear(&p->weight);
  lar_tensor_clear(&p->towards);
  lar_tensor_clear(&p->fisher);
}

static lar_status fit_groups(piece *p, const lar_term *t, const lar_tensor *w) {
  int64_t numel = lar_tensor_numel(w);
  if (t->list != NULL && (t->type->traits & (LAR_NESTED | LAR_OVERLAP)) != 0)
    return lar_groups_cover(&p->groups, numel, lar_tensor_numel(&t->sizes->t),
                            lar_tensor_data(&t->sizes->t), lar_tensor_data(&t->list->t),
                            (t->type->traits & LAR_OVERLAP) != 0);
  if (t->list != NULL)
    return lar_groups_lists(&p->groups, numel, lar_tensor_numel(&t->sizes->t),
                            lar_tensor_data(&t->sizes->t), lar_tensor_data(&t->list->t));
  if (t->ids != NULL && lar_tensor_numel(&t->ids->t) != numel)
    return lar_fail(LAR_ESHAPE, "group ids of shape %s do not fit a tensor of shape %s",
                    lar_tensor_text(&t->ids->t), lar_tensor_text(w));
  if (t->ids != NULL) return lar_groups_ids(&p->groups, &t->ids->t);
  if (t->by != NULL && (t->type->traits & LAR_GRAPH) != 0)
    return lar_groups_graph(&p->groups, t->by, w);
  if (t->by != NULL) return lar_groups_by(&p->groups, t->by, w);
  return lar_fail(LAR_EARG,
                  "no groups are given: say by = \"input\", or groups = {{1, 2}, ...}");
}

static lar_status fit_weights(piece *p, const lar_term *t, const lar_tensor *w) {
  lar_status st = lar_tensor_expand(&p->weight, &t->weights->t, w->ndim, w->shape);
  if (st == LAR_OK && !lar_tensor_is_contiguous(&p->weight)) {
    lar_tensor wide = p->weight;
    st = lar_contiguous(&p->weight, &wide, LAR_F64);
    lar_tensor_clear(&wide);
  }
  if (st != LAR_OK) return lar_fail(st, "weights: %s", lar_why());
  const double *at = lar_tensor_data(&p->weight);
  for (int64_t j = 0, n = lar_tensor_numel(&p->weight); j < n; j++)
    p->holds = p->holds || at[j] == HUGE_VAL;
  return LAR_OK;
}

/* What was given for the parameter of that name, in w's shape. */
static lar_status fit_given(lar_tensor *out, const lar_given *g, const char *what,
                            const lar_pentry *e) {
  const lar_tensor *w = &e->var->t;
  const lar_pentry *from = g->one ? &g->p.at[0] : lar_params_find(&g->p, e->name);
  if (from == NULL)
    return lar_fail(LAR_EARG, "%s has nothing of that name; it has: %s", what,
                    lar_params_text(&g->p));
  lar_tensor wide = {0};
  lar_status st = lar_tensor_expand(&wide, &from->var->t, w->ndim, w->shape);
  if (st != LAR_OK) return lar_fail(st, "%s: %s", what, lar_why());
  st = lar_contiguous(out, &wide, LAR_F64);
  lar_tensor_clear(&wide);
  return st;
}

static lar_status fit_ranks(piece *p, const lar_term *t, const lar_tensor *w) {
  int64_t n = lar_tensor_numel(w);
  if (t->weights == NULL) {
    LAR_TRY(lar_tensor_init(&p->weight, LAR_F64, 1, &n));
    t->type->ranks(t->self, n, lar_tensor_data(&p->weight));
    return LAR_OK;
  }
  if (lar_tensor_numel(&t->weights->t) != n)
    return lar_fail(LAR_ESHAPE, "%lld weights of ranks for a tensor of shape %s",
                    (long long)lar_tensor_numel(&t->weights->t), lar_tensor_text(w));
  lar_tensor_ref(&p->weight, &t->weights->t);
  return LAR_OK;
}

static lar_status fit_group_weights(piece *p, const lar_term *t) {
  int64_t n = lar_tensor_numel(&t->weights->t);
  if (n != p->groups.n)
    return lar_fail(LAR_ESHAPE, "%lld weights for %lld groups", (long long)n,
                    (long long)p->groups.n);
  lar_tensor_ref(&p->weight, &t->weights->t);
  const double *at = lar_tensor_data(&p->weight);
  for (int64_t g = 0; g < n && p->by_grad; g++)
    if (at[g] == HUGE_VAL)
      return lar_fail(LAR_EARG,
                      "group %lld is excluded by its weight, which a gradient cannot do",
                      (long long)g + 1);
  return LAR_OK;
}

static lar_status fit_all_weights(piece *p, const lar_term *t, const lar_tensor *w) {
  if (t->weights != NULL && t->type != NULL && (t->type->traits & LAR_GROUPED))
    return fit_group_weights(p, t);
  if (t->type != NULL && (t->type->traits & LAR_RANKED)) return fit_ranks(p, t, w);
  return t->weights != NULL ? fit_weights(p, t, w) : LAR_OK;
}

static lar_status add_piece(lar_bound *b, int k, int i) {
  const lar_term *t = b->reg->at[k].term;
  const lar_tensor *w = &b->params->at[i].var->t;
  place *to = &b->places[i];
  piece p = {.addend = k, .by_grad = lar_term_by_grad(t)};
  lar_status st = LAR_OK;
  void *at = to->at;
  if (!lar_dtype_is_float(w->dtype))
    return lar_fail(LAR_EDTYPE, "penalty %s: '%s' is %s; penalties act on float tensors",
                    b->name[k], b->params->at[i].name, lar_dtype_name(w->dtype));
  if (t->type != NULL && (t->type->traits & LAR_GROUPED)) LAR_GO(fit_groups(&p, t, w));
  LAR_GO(fit_all_weights(&p, t, w));
  if (t->towards != NULL)
    LAR_GO(fit_given(&p.towards, t->towards, "towards", &b->params->at[i]));
  if (t->fisher != NULL) LAR_GO(fit_given(&p.fisher, t->fisher, "fisher", &b->params->at[i]));
  if (to->n == LAR_MAX_PARTS)
    LAR_GO(lar_fail(LAR_EARG, "more than %d penalties on one parameter", LAR_MAX_PARTS));
  st = lar_grow(&at, &to->cap, (size_t)to->n + 1, sizeof p);
  to->at = at;
done:
  if (st == LAR_OK) {
    to->at[to->n++] = p;
    return LAR_OK;
  }
  piece_clear(&p);
  return st == LAR_ENOMEM ? st
                          : lar_fail(st, "penalty %s on '%s': %s", b->name[k],
                                     b->params->at[i].name, lar_why());
}

static lar_status bind_forward(const lar_bound *b, int k, bool all) {
  const lar_addend *a = &b->reg->at[k];
  if (all)
    return lar_fail(LAR_EARG, "penalty %s is of a model's forward pass, not of a tensor",
                    b->name[k]);
  if (a->on != NULL && !(a->term->type->sees & LAR_SEES_LAYERS))
    return lar_fail(LAR_EARG, "penalty %s is of the whole model and takes no scope",
                    b->name[k]);
  return LAR_OK;
}

static lar_status bind_addend(lar_bound *b, int k, bool all) {
  const lar_addend *a = &b->reg->at[k];
  int found = 0;
  if (lar_bound_is_forward(b, k)) return bind_forward(b, k, all);
  for (int i = 0; i < b->params->n; i++) {
    bool yes = false;
    LAR_TRY(covers(a, &b->params->at[i], all, &yes));
    if (!yes) continue;
    LAR_TRY(add_piece(b, k, i));
    found++;
  }
  return found > 0 ? LAR_OK : nothing(b, k);
}

static lar_status allocate(lar_bound *b) {
  void *p;
  size_t n = (size_t)b->reg->n;
  LAR_TRY(lar_alloc(&p, (size_t)b->params->n + 1, sizeof *b->places));
  b->places = p;
  LAR_TRY(lar_alloc(&p, n + 1, sizeof *b->l));
  b->l = p;
  LAR_TRY(lar_alloc(&p, n + 1, sizeof *b->set));
  b->set = p;
  LAR_TRY(lar_alloc(&p, n + 1, sizeof *b->passes));
  b->passes = p;
  LAR_TRY(lar_alloc(&p, n + 1, sizeof *b->name));
  b->name = p;
  for (int k = 0; k < b->reg->n; k++) {
    b->set[k] = (double)NAN;
    b->passes[k] = b->reg->at[k].term->passes;
    (void)lar_reg_name(b->reg, k, b->name[k]);
  }
  return LAR_OK;
}

static lar_status bind(lar_bound **out, lar_reg *r, const lar_params *p, bool all) {
  void *made;
  *out = NULL;
  LAR_TRY(lar_alloc(&made, 1, sizeof(lar_bound)));
  lar_bound *b = made;
  b->reg = lar_reg_ref(r);
  b->params = p;
  lar_status st = allocate(b);
  for (int k = 0; k < r->n && st == LAR_OK; k++) st = bind_addend(b, k, all);
  if (st == LAR_OK)
    *out = b;
  else
    lar_bound_free(b);
  return st;
}

lar_status lar_reg_bind(lar_bound **out, lar_reg *r, const lar_params *p) {
  return bind(out, r, p, false);
}

lar_status lar_reg_bind_all(lar_bound **out, lar_reg *r, const lar_params *p) {
  return bind(out, r, p, true);
}

void lar_bound_free(lar_bound *b) {
  if (b == NULL) return;
  for (int i = 0; b->places != NULL && i < b->params->n; i++) {
    for (int k = 0; k < b->places[i].n; k++) piece_clear(&b->places[i].at[k]);
    lar_free(b->places[i].at);
    lar_compose_clear(&b->places[i].work);
  }
  lar_free(b->places);
  lar_free(b->l);
  lar_free(b->set);
  lar_free(b->passes);
  lar_free(b->name);
  lar_reg_unref(b->reg);
  lar_free(b);
}

/* ---- strengths ---- */

static bool is_constraint(const lar_bound *b, int k) {
  const lar_penalty *type = b->reg->at[k].term->type;
  return type != NULL && (type->traits & LAR_CONSTRAINT) != 0;
}

static lar_status strength(const lar_bound *b, int k, void *state, double *out) {
  const lar_term *t = b->reg->at[k].term;
  double lambda = t->lambda;
  if (!isnan(b->set[k])) {
    *out = b->set[k];
    return LAR_OK;
  }
  if (t->lambda_fn != NULL) LAR_TRY(t->lambda_fn(t->lambda_ctx, state, &lambda));
  if (!(lambda >= 0 && lambda < HUGE_VAL))
    return lar_fail(LAR_EARG, "penalty %s: lambda = %g; it must be finite and not negative",
                    b->name[k], lambda);
  *out = lambda * b->reg->at[k].scale;
  return LAR_OK;
}

lar_status lar_bound_refresh(lar_bound *b, void *state) {
  for (int k = 0; k < b->reg->n; k++) {
    b->l[k] = 1;
    if (!is_constraint(b, k)) LAR_TRY(strength(b, k, state, &b->l[k]));
  }
  b->fresh = true;
  return LAR_OK;
}

static lar_status ready(lar_bound *b) { return b->fresh ? LAR_OK : lar_bound_refresh(b, NULL); }

int lar_bound_terms(const lar_bound *b) { return b->reg->n; }
const char *lar_bound_name(const lar_bound *b, int k) { return b->name[k]; }

double lar_bound_lambda(const lar_bound *b, int k) {
  const lar_addend *a = &b->reg->at[k];
  if (b->fresh) return b->l[k];
  if (is_constraint(b, k)) return 1;
  if (!isnan(b->set[k])) return b->set[k];
  return a->term->lambda_fn != NULL ? (double)NAN : a->term->lambda * a->scale;
}

lar_status lar_bound_set(lar_bound *b, int k, double lambda) {
  if (is_constraint(b, k))
    return lar_fail(LAR_EARG, "penalty %s is a constraint and has no lambda", b->name[k]);
  if (!isnan(lambda) && !(lambda >= 0 && lambda < HUGE_VAL))
    return lar_fail(LAR_EARG, "penalty %s: lambda = %g; it must be finite and not negative",
                    b->name[k], lambda);
  b->set[k] = lambda;
  return LAR_OK;
}

/* ---- values ---- */

static const double *data_of(const lar_tensor *t) {
  return t->storage != NULL ? lar_tensor_data(t) : NULL;
}

static lar_pen_at at_of(const lar_bound *b, const piece *p) {
  return (lar_pen_at){.self = b->reg->at[p->addend].term->self,
                      .l = b->l[p->addend],
                      .weight = p->weight.storage != NULL ? &p->weight : NULL,
                      .groups = &p->groups,
                      .towards = data_of(&p->towards),
                      .fisher = data_of(&p->fisher)};
}

/* l Omega(w) of a penalty written in Lua, and its gradient added to g where that is given. */
static lar_status call_value(const lar_term *t, double l, const lar_tensor *w, double *value,
                             const lar_tensor *g) {
  lar_var *leaf = NULL, *f = NULL, *d = NULL;
  bool former = lar_grad_mode(g != NULL);
  lar_status st = lar_var_new(&leaf, w);
  if (st != LAR_OK) goto done;
  leaf->requires_grad = g != NULL;
  LAR_GO(t->value_fn(t->ctx, l, leaf, &f));
  LAR_GO(lar_var_item(f, value));
  *value *= l;
  if (g == NULL || !f->requires_grad) goto done;
  LAR_GO(lar_grad(f, NULL, 1, &leaf, false, &d));
  lar_tensor flat = {0};
  LAR_GO(lar_contiguous(&flat, &d->t, w->dtype));
  lar_axpy(l, &flat, g);
  lar_tensor_clear(&flat);
done:
  lar_grad_mode(former);
  lar_var_unref(d);
  lar_var_unref(f);
  lar_var_unref(leaf);
  return st;
}

static lar_status piece_value(const lar_bound *b, const piece *p, const lar_tensor *w,
                              double *out) {
  const lar_term *t = b->reg->at[p->addend].term;
  lar_pen_at at = at_of(b, p);
  if (t->type != NULL) return lar_penalty_value(t->type, &at, w, out);
  return call_value(t, at.l, w, out, NULL);
}

lar_status lar_bound_values(lar_bound *b, double *each, double *total) {
  lar_status st = ready(b);
  for (int k = 0; k < b->reg->n && each != NULL; k++) each[k] = 0;
  *total = 0;
  for (int i = 0; st == LAR_OK && i < b->params->n; i++) {
    const place *p = &b->places[i];
    lar_tensor w = {0};
    if (p->n == 0) continue;
    const lar_tensor *t = &b->params->at[i].var->t;
    st = lar_contiguous(&w, t, t->dtype);
    for (int k = 0; st == LAR_OK && k < p->n; k++) {
      double v = 0;
      st = piece_value(b, &p->at[k], &w, &v);
      if (each != NULL) each[p->at[k].addend] += v;
      *total += v;
    }
    lar_tensor_clear(&w);
  }
  return st;
}

/* ---- gradients ---- */

void lar_axpy(double a, const lar_tensor *x, const lar_tensor *y) {
  (y->dtype == LAR_F32 ? lar_axpy_f32 : lar_axpy_f64)(lar_tensor_numel(y), a,
                                                      lar_tensor_data(x), lar_tensor_data(y));
}

bool lar_bound_has_grad(const lar_bound *b, int i) {
  for (int k = 0; k < b->places[i].n; k++)
    if (b->places[i].at[k].by_grad) return true;
  return false;
}

static lar_status piece_grad(const lar_bound *b, const piece *p, const lar_tensor *w,
                             const lar_tensor *g) {
  const lar_term *t = b->reg->at[p->addend].term;
  lar_pen_at at = at_of(b, p);
  double ignored;
  if (at.l == 0) return LAR_OK;
  if (t->type != NULL) return lar_penalty_grad(t->type, &at, w, g);
  return call_value(t, at.l, w, &ignored, g);
}

static lar_status gradient(lar_bound *b, int i, const lar_tensor *g, bool all) {
  const lar_tensor *t = &b->params->at[i].var->t;
  lar_tensor w = {0};
  LAR_TRY(ready(b));
  LAR_TRY(lar_contiguous(&w, t, t->dtype));
  lar_status st = LAR_OK;
  for (int k = 0; st == LAR_OK && k < b->places[i].n; k++)
    if (all || b->places[i].at[k].by_grad) st = piece_grad(b, &b->places[i].at[k], &w, g);
  lar_tensor_clear(&w);
  return st;
}

lar_status lar_bound_grad(lar_bound *b, int i, const lar_tensor *g) {
  return gradient(b, i, g, false);
}

lar_status lar_bound_grad_all(lar_bound *b, int i, const lar_tensor *g) {
  return gradient(b, i, g, true);
}

/* ---- noise ---- */

double lar_bound_noise(lar_bound *b, int i) {
  double sum = 0;
  if (ready(b) != LAR_OK) return 0;
  for (int k = 0; k < b->places[i].n; k++) {
    const lar_pen_at at = at_of(b, &b->places[i].at[k]);
    const lar_penalty *type = b->reg->at[b->places[i].at[k].addend].term->type;
    if (type == NULL || type->noise == NULL) continue;
    double std = type->noise(at.self, at.l);
    sum += std * std;
  }
  return sqrt(sum);
}

/* ---- proxes ---- */

static bool acts_by_prox(const piece *p) { return !p->by_grad || p->holds; }

bool lar_bound_has_prox(const lar_bound *b, int i) {
  for (int k = 0; k < b->places[i].n; k++)
    if (acts_by_prox(&b->places[i].at[k])) return true;
  return false;
}

static bool same_groups(const lar_part *a, const lar_part *b) {
  return lar_groups_same(a->at.groups, b->at.groups);
}

/* The pieces of a place that act now; with `all`, those that act by gradient too. */
static int parts_of(const lar_bound *b, const place *at, bool all, lar_part *part) {
  int n = 0;
  for (int k = 0; k < at->n; k++) {
    const piece *p = &at->at[k];
    if ((!all && !acts_by_prox(p)) || (b->l[p->addend] == 0 && !p->holds)) continue;
    part[n++] = (lar_part){
      .term = b->reg->at[p->addend].term, .at = at_of(b, p), .hold = p->by_grad && !all};
  }
  return n;
}

bool lar_bound_prox_may_fail(const lar_bound *b) {
  for (int i = 0; i < b->params->n; i++) {
    lar_part part[LAR_MAX_PARTS];
    int n = 0;
    for (int k = 0; k < b->places[i].n; k++) {
      const piece *p = &b->places[i].at[k];
      const lar_term *t = b->reg->at[p->addend].term;
      if (!acts_by_prox(p)) continue;
      if (t->type == NULL || (t->type->traits & LAR_FALLIBLE) != 0) return true;
      part[n++] = (lar_part){.term = t, .at = at_of(b, p), .hold = p->by_grad};
    }
    if (lar_compose_plan(n, part, same_groups) >= LAR_PLAN_CHAIN) return true;
  }
  return false;
}

static lar_status prox(lar_bound *b, int i, double step, const lar_tensor *metric, bool all) {
  const lar_pentry *e = &b->params->at[i];
  lar_part part[LAR_MAX_PARTS];
  lar_tensor w = {0};
  LAR_TRY(ready(b));
  int n = parts_of(b, &b->places[i], all, part);
  if (n == 0 || !(step > 0)) return LAR_OK;
  for (int k = 0; k < n; k++)
    if (!part[k].hold && (part[k].term->type != NULL ? !lar_penalty_has_prox(part[k].term->type)
                                                     : part[k].term->prox_fn == NULL))
      return lar_fail(LAR_EARG, "penalty %s has no prox", part[k].term->name);
  lar_plan plan = lar_compose_plan(n, part, same_groups);
  LAR_TRY(lar_contiguous(&w, &e->var->t, e->var->t.dtype));
  lar_status st =
    lar_compose_prox(plan, n, part, &b->places[i].work, &w, step, metric, e->name);
  if (st == LAR_OK && lar_tensor_data(&w) != lar_tensor_data(&e->var->t))
    st = lar_copy(&e->var->t, &w);
  lar_tensor_clear(&w);
  e->var->t.storage->version++;
  return st;
}

bool lar_bound_fuse(lar_bound *b, int i, lar_fused *f, const lar_tensor *w, double step,
                    const lar_tensor *metric) {
  if (!(step > 0) || ready(b) != LAR_OK) return false;
  f->n = parts_of(b, &b->places[i], false, f->part);
  if (f->n == 0) return false;
  f->plan = lar_compose_plan(f->n, f->part, same_groups);
  return (f->plan == LAR_PLAN_ONE || f->plan == LAR_PLAN_SIMPLE ||
          f->plan == LAR_PLAN_RADIAL) &&
         lar_compose_fuse(f, w, step, metric);
}

lar_status lar_bound_prox(lar_bound *b, int i, double step, const lar_tensor *metric) {
  return prox(b, i, step, metric, false);
}

lar_status lar_bound_prox_all(lar_bound *b, int i, double step, const lar_tensor *metric) {
  return prox(b, i, step, metric, true);
}

lar_status lar_bound_max(lar_bound *b, int i, double *out) {
  const place *p = &b->places[i];
  const lar_tensor *t = &b->params->at[i].var->t;
  const lar_term *term = b->reg->at[p->at[0].addend].term;
  lar_pen_at at = at_of(b, &p->at[0]);
  lar_tensor g = {0};
  if (term->type == NULL)
    return lar_fail(LAR_EARG, "%s is written in Lua and has no lambda_max", term->name);
  LAR_TRY(lar_contiguous(&g, t, t->dtype));
  lar_status st = lar_penalty_max(term->type, &at, &g, out);
  lar_tensor_clear(&g);
  return st;
}

/* |w|^-gamma, 1/0 being infinite. */
static double reweight(double size, double gamma) {
  return size == 0 ? HUGE_VAL : pow(size, -gamma);
}

lar_status lar_bound_adapt(lar_bound *b, int i, double gamma, lar_tensor *out) {
  const piece *p = &b->places[i].at[0];
  const lar_tensor *w = &b->params->at[i].var->t;
  bool grouped = p->groups.n > 0;
  lar_tensor flat = {0};
  lar_status st = lar_contiguous(&flat, w, LAR_F64);
  if (st == LAR_OK)
    st = grouped ? lar_tensor_init(out, LAR_F64, 1, &p->groups.n)
                 : lar_tensor_init(out, LAR_F64, w->ndim, w->shape);
  if (st == LAR_OK) {
    double *to = lar_tensor_data(out);
    if (grouped)
      lar_groups_norms(&p->groups, &flat, to);
    else
      for (int64_t j = 0; j < lar_tensor_numel(w); j++) to[j] = fabs(lar_tensor_get(&flat, j));
    const double *old = p->weight.storage != NULL ? lar_tensor_data(&p->weight) : NULL;
    for (int64_t j = 0; j < lar_tensor_numel(out); j++) {
      double own = old != NULL ? old[j] : 1;
      to[j] = own == 0 ? 0 : own * reweight(to[j], gamma);
    }
  }
  lar_tensor_clear(&flat);
  return st;
}
