/* Terms, scopes, and the algebra of their sums. */
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "kern/copy.h"
#include "penalty/reg.h"

/* ---- terms ---- */

lar_status lar_term_new(lar_term **out, const lar_penalty *type, const char *name) {
  void *p;
  *out = NULL;
  LAR_TRY(lar_alloc(&p, 1, sizeof(lar_term)));
  lar_term *t = p;
  lar_status st = LAR_OK;
  t->refs = 1;
  t->type = type;
  t->lambda = 1;
  LAR_GO(lar_strdup(&t->name, name));
  if (type != NULL) {
    LAR_GO(lar_alloc(&t->self, 1, type->size));
    lar_param_default(type->params, t->self);
    if (type->by != NULL) LAR_GO(lar_strdup(&t->by, type->by));
  }
done:
  if (st == LAR_OK)
    *out = t;
  else
    lar_term_unref(t);
  return st;
}

lar_status lar_term_copy(lar_term **out, const lar_term *t) {
  LAR_TRY(lar_term_new(out, NULL, t->name));
  lar_term *c = *out;
  lar_status st = LAR_OK;
  char *name = c->name;
  *c = *t;
  c->refs = 1;
  c->name = name;
  c->self = NULL;
  c->by = c->formula = NULL;
  lar_var_ref(c->ids);
  lar_var_ref(c->sizes);
  lar_var_ref(c->list);
  lar_var_ref(c->weights);
  lar_var_ref(c->l1_weights);
  lar_given_ref(c->towards);
  lar_given_ref(c->fisher);
  if (t->type != NULL) {
    LAR_GO(lar_alloc(&c->self, 1, t->type->size));
    memcpy(c->self, t->self, t->type->size);
  }
  if (t->by != NULL) LAR_GO(lar_strdup(&c->by, t->by));
  if (t->formula != NULL) LAR_GO(lar_strdup(&c->formula, t->formula));
done:
  if (st != LAR_OK) {
    lar_term_unref(c);
    *out = NULL;
  }
  return st;
}

lar_term *lar_term_ref(lar_term *t) {
  if (t != NULL) t->refs++;
  return t;
}

void lar_term_unref(lar_term *t) {
  if (t == NULL || --t->refs > 0) return;
  lar_free(t->self);
  lar_free(t->name);
  lar_free(t->by);
  lar_free(t->formula);
  lar_var_unref(t->ids);
  lar_var_unref(t->sizes);
  lar_var_unref(t->list);
  lar_var_unref(t->weights);
  lar_var_unref(t->l1_weights);
  lar_given_unref(t->towards);
  lar_given_unref(t->fisher);
  lar_free(t);
}

bool lar_term_by_grad(const lar_term *t) {
  if (t->mode == LAR_SUBGRADIENT) return true;
  return t->type != NULL ? (t->type->traits & LAR_SMOOTH) != 0 : t->prox_fn == NULL;
}

static lar_status add_copy(lar_given *g, const lar_pentry *from) {
  lar_tensor t = {0};
  lar_var *v = NULL;
  LAR_TRY(lar_clone(&t, &from->var->t, LAR_F64));
  lar_status st = lar_var_new(&v, &t);
  lar_tensor_clear(&t);
  if (st == LAR_OK) st = lar_params_add(&g->p, from->name, v, from->kind);
  lar_var_unref(v);
  return st;
}

lar_status lar_given_new(lar_given **out, const lar_params *from, bool one) {
  void *p;
  *out = NULL;
  LAR_TRY(lar_alloc(&p, 1, sizeof(lar_given)));
  lar_given *g = p;
  g->refs = 1;
  g->one = one;
  lar_status st = LAR_OK;
  for (int k = 0; st == LAR_OK && k < from->n; k++) st = add_copy(g, &from->at[k]);
  if (st == LAR_OK)
    *out = g;
  else
    lar_given_unref(g);
  return st;
}

lar_given *lar_given_ref(lar_given *g) {
  if (g != NULL) g->refs++;
  return g;
}

void lar_given_unref(lar_given *g) {
  if (g == NULL || --g->refs > 0) return;
  lar_params_clear(&g->p);
  lar_free(g);
}

/* ---- scopes ---- */

lar_status lar_on_new(lar_on **out, int n, const char *const *names) {
  void *p;
  *out = NULL;
  LAR_TRY(lar_alloc(&p, 1, sizeof(lar_on)));
  lar_on *on = p;
  on->refs = 1;
  lar_status st = lar_alloc(&p, (size_t)n + 1, sizeof *on->names);
  on->names = p;
  for (; st == LAR_OK && on->n < n; on->n++) st = lar_strdup(&on->names[on->n], names[on->n]);
  if (st == LAR_OK)
    *out = on;
  else
    lar_on_unref(on);
  return st;
}

lar_on *lar_on_ref(lar_on *on) {
  if (on != NULL) on->refs++;
  return on;
}

void lar_on_unref(lar_on *on) {
  if (on == NULL || --on->refs > 0) return;
  for (int k = 0; on->names != NULL && k < on->n; k++) lar_free(on->names[k]);
  lar_free(on->names);
  lar_free(on);
}

/* ---- sums ---- */

lar_reg *lar_reg_ref(lar_reg *r) {
  if (r != NULL) r->refs++;
  return r;
}

void lar_reg_unref(lar_reg *r) {
  if (r == NULL || --r->refs > 0) return;
  for (int k = 0; k < r->n; k++) {
    lar_term_unref(r->at[k].term);
    lar_on_unref(r->at[k].on);
  }
  lar_free(r->at);
  lar_free(r);
}

static lar_status make(lar_reg **out, int n) {
  void *p;
  *out = NULL;
  LAR_TRY(lar_alloc(&p, 1, sizeof(lar_reg)));
  lar_reg *r = p;
  lar_status st = lar_alloc(&p, (size_t)n, sizeof *r->at);
  r->refs = 1;
  r->at = p;
  if (st == LAR_OK)
    *out = r;
  else
    lar_free(r);
  return st;
}

static void put(lar_reg *r, const lar_addend *a) {
  lar_addend *to = &r->at[r->n++];
  to->term = lar_term_ref(a->term);
  to->scale = a->scale;
  to->on = lar_on_ref(a->on);
}

lar_status lar_reg_of(lar_reg **out, lar_term *t) {
  lar_addend a = {.term = t, .scale = 1};
  LAR_TRY(make(out, 1));
  put(*out, &a);
  return LAR_OK;
}

lar_status lar_reg_add(lar_reg **out, const lar_reg *a, const lar_reg *b) {
  LAR_TRY(make(out, a->n + b->n));
  for (int k = 0; k < a->n; k++) put(*out, &a->at[k]);
  for (int k = 0; k < b->n; k++) put(*out, &b->at[k]);
  return LAR_OK;
}

lar_status lar_reg_scale(lar_reg **out, const lar_reg *a, double factor) {
  *out = NULL;
  if (!(factor >= 0 && factor < HUGE_VAL))
    return lar_fail(LAR_EARG, "penalty: a factor of %g; factors are finite and not negative",
                    lar_shown(factor));
  LAR_TRY(make(out, a->n));
  for (int k = 0; k < a->n; k++) {
    put(*out, &a->at[k]);
    (*out)->at[k].scale *= factor;
  }
  return LAR_OK;
}

lar_status lar_reg_on(lar_reg **out, const lar_reg *a, lar_on *on) {
  LAR_TRY(make(out, a->n));
  for (int k = 0; k < a->n; k++) {
    lar_addend to = a->at[k];
    to.on = on;
    put(*out, &to);
  }
  return LAR_OK;
}

const char *lar_reg_name(const lar_reg *r, int k, char buf[64]) {
  const char *name = r->at[k].term->name;
  int turn = 1;
  for (int j = 0; j < k; j++) turn += strcmp(r->at[j].term->name, name) == 0;
  (void)snprintf(buf, 64, turn > 1 ? "%.50s_%d" : "%.50s", name, turn);
  return buf;
}
