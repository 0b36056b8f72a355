/* Fixing a regulariser to the parameters of a model: scopes, groups, weights. */
#include <string.h>

#include "core/mem.h"
#include "kern/copy.h"
#include "penalty/bound.h"

/* ---- scopes ---- */

/* Does the last part of a name hold a wildcard? */
static bool loose(const char *glob) {
  const char *dot = strrchr(glob, '.');
  return strpbrk(dot != NULL ? dot : glob, "*?") != NULL;
}

static bool may_be(const char *glob, const lar_pentry *p) {
  if (p->kind == LAR_WEIGHT) return true;
  return p->kind == LAR_GAIN ? strpbrk(glob, "*?") == NULL : !loose(glob);
}

static bool named(const lar_on *on, const lar_pentry *p) {
  for (int k = 0; k < on->n; k++) {
    const char *name = on->names[k];
    if (lar_pkind_find(name) == p->kind) return true;
    if (lar_glob(name, p->name) && may_be(name, p)) return true;
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
  return lar_fail(
    LAR_EARG,
    "penalty %s on '%s%s' matches no parameter; there are: %s (kinds: weight, bias, "
    "gain)",
    b->name[k], what, on != NULL && on->n > 1 ? "', ..." : "", lar_params_text(b->params));
}

/* ---- pieces ---- */

static void piece_clear(piece *p) {
  lar_groups_clear(&p->groups);
  lar_tensor_clear(&p->weight);
  lar_tensor_clear(&p->l1_weight);
  lar_tensor_clear(&p->towards);
  lar_tensor_clear(&p->fisher);
  lar_called_free(p->called);
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

/* weights as a contiguous tensor of w's shape */
static lar_status fit_weights(lar_tensor *out, const lar_var *weights, const lar_tensor *w) {
  lar_status st = lar_tensor_expand(out, &weights->t, w->ndim, w->shape);
  if (st == LAR_OK && !lar_tensor_is_contiguous(out)) {
    lar_tensor wide = *out;
    st = lar_contiguous(out, &wide, LAR_F64);
    lar_tensor_clear(&wide);
  }
  return st == LAR_OK ? st : lar_fail(st, "weights: %s", lar_why());
}

static bool excludes(const lar_tensor *weight, int64_t *which) {
  const double *at = lar_tensor_data(weight);
  for (*which = 0; *which < lar_tensor_numel(weight); ++*which)
    if (at[*which] == HUGE_VAL) return true;
  return false;
}

static lar_status no_gradient(const char *what, int64_t which) {
  return lar_fail(LAR_EARG,
                  "%s %lld is excluded by its weight, which a gradient cannot do; leave out "
                  "mode = \"subgradient\", or give a finite weight",
                  what, (long long)which + 1);
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
  int64_t n = lar_tensor_numel(&t->weights->t), which;
  if (n != p->groups.n)
    return lar_fail(LAR_ESHAPE, "%lld weights for %lld groups", (long long)n,
                    (long long)p->groups.n);
  lar_tensor_ref(&p->weight, &t->weights->t);
  return p->by_grad && excludes(&p->weight, &which) ? no_gradient("group", which) : LAR_OK;
}

static lar_status fit_l1_weights(piece *p, const lar_term *t, const lar_tensor *w) {
  int64_t which;
  lar_status st = fit_weights(&p->l1_weight, t->l1_weights, w);
  if (st != LAR_OK) return lar_fail(st, "l1_%s", lar_why());
  return p->by_grad && excludes(&p->l1_weight, &which) ? no_gradient("coordinate", which)
                                                       : LAR_OK;
}

static lar_status fit_all_weights(piece *p, const lar_term *t, const lar_tensor *w) {
  int64_t which;
  if (t->l1_weights != NULL) LAR_TRY(fit_l1_weights(p, t, w));
  if (t->weights != NULL && t->type != NULL && (t->type->traits & LAR_GROUPED))
    return fit_group_weights(p, t);
  if (t->type != NULL && (t->type->traits & LAR_RANKED)) return fit_ranks(p, t, w);
  if (t->weights == NULL) return LAR_OK;
  LAR_TRY(fit_weights(&p->weight, t->weights, w));
  p->holds = excludes(&p->weight, &which);
  return LAR_OK;
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
