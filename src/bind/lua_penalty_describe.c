/* What a penalty is made of, for programs: enough to make it again. */
#include "bind/lb_penalty.h"
#include "kern/copy.h"

void lb_penalty_push_param(lua_State *L, const lar_param *p, const void *self) {
  double v = lar_param_get(p, self);
  char word[64];
  if (p->kind == LAR_CHOICE) {
    lar_param_choice(p, (int)v, word, sizeof word);
    lua_pushstring(L, word);
  } else if (p->kind == LAR_FLAG) {
    lua_pushboolean(L, v != 0);
  } else if (p->kind == LAR_INTEGER) {
    lua_pushinteger(L, (lua_Integer)v);
  } else {
    lua_pushnumber(L, v);
  }
}

static void set_text(lua_State *L, const char *key, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, key);
}

static void set_params(lua_State *L, const lar_param *p, const void *self) {
  for (; p != NULL && p->name != NULL; p++) {
    lb_penalty_push_param(L, p, self);
    lua_setfield(L, -2, p->name);
  }
}

/* A copy: what is done to it does nothing to the penalty. */
static void push_tensor(lua_State *L, const lar_var *v) {
  lar_var **p = lb_tensor_new(L);
  lar_tensor t = {0};
  lb_check(L, lar_clone(&t, &v->t, v->t.dtype));
  lar_status st = lar_var_new(p, &t);
  lar_tensor_clear(&t);
  lb_check(L, st);
}

static void set_tensor(lua_State *L, const char *key, const lar_var *v) {
  if (v == NULL) return;
  push_tensor(L, v);
  lua_setfield(L, -2, key);
}

static void set_lists(lua_State *L, const lar_term *t) {
  const int64_t *size = lar_tensor_data(&t->sizes->t), *list = lar_tensor_data(&t->list->t);
  int64_t n = lar_tensor_numel(&t->sizes->t);
  lua_createtable(L, (int)n, 0);
  for (int64_t k = 0; k < n; list += size[k++]) {
    lua_createtable(L, (int)size[k], 0);
    for (int64_t i = 0; i < size[k]; i++) {
      lua_pushinteger(L, list[i]);
      lua_rawseti(L, -2, i + 1);
    }
    lua_rawseti(L, -2, k + 1);
  }
  lua_setfield(L, -2, "groups");
}

/* A tensor for all, or a table name -> tensor. */
static void set_given(lua_State *L, const char *key, const lar_given *g) {
  if (g == NULL) return;
  if (g->one) {
    set_tensor(L, key, g->p.at[0].var);
    return;
  }
  lua_createtable(L, 0, g->p.n);
  for (int k = 0; k < g->p.n; k++) set_tensor(L, g->p.at[k].name, g->p.at[k].var);
  lua_setfield(L, -2, key);
}

static void set_lambda(lua_State *L, const lar_term *t) {
  if (t->lambda_fn != NULL)
    lb_push_anchored(L, t->lambda_ctx);
  else
    lua_pushnumber(L, t->lambda);
  lua_setfield(L, -2, "lambda");
}

static void set_groups(lua_State *L, const lar_term *t) {
  if (t->list != NULL)
    set_lists(L, t);
  else if (t->ids != NULL)
    set_tensor(L, "groups", t->ids);
  else if (t->by != NULL)
    set_text(L, "by", t->by);
}

/* The table that the constructor takes. */
static void push_options(lua_State *L, const lar_term *t) {
  lua_createtable(L, 0, 8);
  set_params(L, t->type->params, t->self);
  if (!(t->type->traits & LAR_CONSTRAINT)) set_lambda(L, t);
  if (t->mode == LAR_SUBGRADIENT) set_text(L, "mode", "subgradient");
  set_groups(L, t);
  set_tensor(L, "weights", t->weights);
  set_tensor(L, "l1_weights", t->l1_weights);
  set_given(L, "towards", t->towards);
  set_given(L, "fisher", t->fisher);
}

static void set_scope(lua_State *L, const lar_addend *a) {
  const lar_penalty *type = a->term->type;
  bool forward = type != NULL && (type->traits & LAR_FORWARD) != 0;
  if (a->on == NULL && forward && !(type->sees & LAR_SEES_LAYERS)) return;
  if (a->on == NULL) {
    lua_pushstring(L, !forward ? "weight" : type->see != NULL ? type->see : "activation");
  } else if (a->on->match != NULL) {
    lb_push_anchored(L, a->on->ctx);
  } else {
    lua_createtable(L, a->on->n, 0);
    for (int k = 0; k < a->on->n; k++) {
      lua_pushstring(L, a->on->names[k]);
      lua_rawseti(L, -2, k + 1);
    }
  }
  lua_setfield(L, -2, "on");
}

static void push_addend(lua_State *L, const lar_reg *r, int k) {
  const lar_addend *a = &r->at[k];
  const lar_term *t = a->term;
  char name[64];
  lua_createtable(L, 0, 10);
  set_text(L, "name", lar_reg_name(r, k, name));
  set_text(L, "kind", t->name);
  set_text(L, "acts", lar_term_by_grad(t) ? "gradient" : "prox");
  lua_pushnumber(L, a->scale);
  lua_setfield(L, -2, "scale");
  set_lambda(L, t);
  set_scope(L, a);
  if (t->by != NULL) set_text(L, "by", t->by);
  if (t->mode == LAR_SUBGRADIENT) set_text(L, "mode", "subgradient");
  if (t->type != NULL) {
    set_params(L, t->type->params, t->self);
    push_options(L, t);
    lua_setfield(L, -2, "options");
  } else {
    lb_push_anchored(L, t->ctx);
    lua_setfield(L, -2, "spec");
  }
}

/* reg:describe() -> a list of {name, kind, lambda, scale, on, options, ...}, one for each
 * term */
int lb_penalty_describe(lua_State *L) {
  lar_reg *r = lb_penalty(L, 1);
  lua_createtable(L, r->n, 0);
  for (int k = 0; k < r->n; k++) {
    push_addend(L, r, k);
    lua_rawseti(L, -2, k + 1);
  }
  return 1;
}
