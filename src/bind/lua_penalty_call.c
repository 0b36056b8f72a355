/* What penalties call back: strengths, scopes, values and proximal maps written in Lua. */
#include <string.h>

#include "bind/lb_key.h"
#include "bind/lb_penalty.h"
#include "kern/copy.h"

/* What a protected call works on. */
typedef struct request {
  void *key; /* of the anchored function or table */
  double l, step;
  const char *name;
  lar_var *var;
  const lar_tensor *w, *metric;
  lb_state *state;
  lar_key *bytes; /* to be compared */
} request;

static lar_status protected_call(lua_CFunction f, request *r) {
  lua_State *L = lb_current();
  if (!lua_checkstack(L, 8)) return lar_fail(LAR_ENOMEM, "penalty: the Lua stack is full");
  lua_pushcfunction(L, f);
  lua_pushlightuserdata(L, r);
  if (r->state != NULL && r->state->L == L)
    lua_pushvalue(L, r->state->index);
  else
    lua_pushnil(L);
  return lb_call(L, 2, 1);
}

static int call_lambda(lua_State *L) {
  request *r = lua_touserdata(L, 1);
  lb_push_anchored(L, r->key);
  lua_pushvalue(L, 2);
  if (lua_isnil(L, 2)) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushinteger(L, 0);
    lua_setfield(L, -2, "step");
    lua_pushinteger(L, 0);
    lua_setfield(L, -2, "epoch");
  }
  lua_call(L, 1, 1);
  if (lua_type(L, -1) != LUA_TNUMBER)
    return luaL_error(L, "penalty: a lambda function returned a %s, not a number",
                      luaL_typename(L, -1));
  r->l = lua_tonumber(L, -1);
  return 1;
}

static lar_status lambda_fn(void *ctx, void *state, double *out) {
  request r = {.key = ctx, .state = state};
  lar_status st = protected_call(call_lambda, &r);
  if (st == LAR_OK) lua_pop(lb_current(), 1);
  *out = r.l;
  return st;
}

static int call_match(lua_State *L) {
  request *r = lua_touserdata(L, 1);
  lb_push_anchored(L, r->key);
  lua_pushstring(L, r->name);
  lb_tensor_push(L, r->var);
  lua_call(L, 2, 1);
  return 1;
}

lar_status lb_penalty_match(void *ctx, const lar_pentry *p, bool *yes) {
  request r = {.key = ctx, .name = p->name, .var = p->var};
  LAR_TRY(protected_call(call_match, &r));
  *yes = lua_toboolean(lb_current(), -1);
  lua_pop(lb_current(), 1);
  return LAR_OK;
}

/* Push the function `field` of the anchored table, and the table with lambda set. */
static void push_method(lua_State *L, const request *r, const char *field) {
  lb_push_anchored(L, r->key);
  lua_pushnumber(L, r->l);
  lua_setfield(L, -2, "lambda");
  lua_getfield(L, -1, field);
  lua_insert(L, -2);
}

static const char *spec_name(lua_State *L, const request *r) {
  lb_push_anchored(L, r->key);
  lua_getfield(L, -1, "name");
  return lua_tostring(L, -1);
}

static int call_value(lua_State *L) {
  request *r = lua_touserdata(L, 1);
  push_method(L, r, "value");
  lb_tensor_push(L, r->var);
  lua_call(L, 2, 1);
  lar_var *v = lua_type(L, -1) == LUA_TNUMBER ? lb_tensor_from(L, -1, r->var->t.dtype)
                                              : lb_tensor_test(L, -1);
  if (v == NULL || lar_tensor_numel(&v->t) != 1) {
    const char *what = v == NULL ? luaL_typename(L, -1) : lar_tensor_text(&v->t);
    return luaL_error(L, "penalty %s: value returned %s %s, not one number", spec_name(L, r),
                      v == NULL ? "a" : "a tensor of shape", what);
  }
  return 1;
}

static lar_status value_fn(void *ctx, double l, lar_var *w, lar_var **out) {
  request r = {.key = ctx, .l = l, .var = w};
  *out = NULL;
  LAR_TRY(protected_call(call_value, &r));
  *out = lar_var_ref(lb_tensor_test(lb_current(), -1));
  lua_pop(lb_current(), 1);
  return LAR_OK;
}

/* Runs protected: the key gets what value reaches. Lambda is there already. */
static int put_key(lua_State *L) {
  const request *r = lua_touserdata(L, 1);
  lb_push_anchored(L, r->key);
  if (lua_getfield(L, -1, "value") != LUA_TFUNCTION) return 0;
  lb_key_value(L, -1, r->bytes);
  for (lua_pushnil(L); lua_next(L, -3); lua_pop(L, 1)) {
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    if (strcmp(name, "lambda") != 0 && lua_type(L, -1) != LUA_TFUNCTION)
      lb_key_value(L, -1, r->bytes);
  }
  return 0;
}

static void key_fn(void *ctx, lar_key *k) {
  request r = {.key = ctx, .bytes = k};
  if (protected_call(put_key, &r) == LAR_OK) {
    lua_pop(lb_current(), 1);
  } else {
    lb_forget_error(lb_current());
    k->status = LAR_ECALL;
  }
}

/* Pushes step times metric as a tensor. */
static void push_steps(lua_State *L, const request *r) {
  lar_var **p = lb_tensor_new(L);
  lar_tensor t = {0};
  lb_check(L, lar_clone(&t, r->metric, r->metric->dtype));
  lar_status st = lar_var_new(p, &t);
  lar_tensor_clear(&t);
  lb_check(L, st);
  for (int64_t i = 0, n = lar_tensor_numel(&(*p)->t); i < n; i++)
    lar_tensor_put(&(*p)->t, i, r->step * lar_tensor_get(&(*p)->t, i));
}

static int call_prox(lua_State *L) {
  request *r = lua_touserdata(L, 1);
  push_method(L, r, "prox");
  lb_check(L, lar_var_new(lb_tensor_new(L), r->w));
  if (r->metric != NULL)
    push_steps(L, r);
  else
    lua_pushnumber(L, r->step);
  lua_call(L, 3, 1);
  lar_var *u = lb_tensor_test(L, -1);
  const char *type = luaL_typename(L, -1);
  if (u == NULL)
    return luaL_error(L, "penalty %s: prox returned a %s, not a tensor", spec_name(L, r), type);
  if (!lar_tensor_same_shape(&u->t, r->w))
    return luaL_error(L, "penalty %s: prox returned shape %s for a tensor of shape %s",
                      spec_name(L, r), lar_tensor_text(&u->t), lar_tensor_text(r->w));
  return 1;
}

/* The function's step is that of its own Omega: step times lambda. */
static lar_status prox_fn(void *ctx, double l, const lar_tensor *w, double step,
                          const lar_tensor *metric) {
  request r = {.key = ctx, .l = l, .w = w, .step = step * l, .metric = metric};
  bool former = lar_grad_mode(false);
  lar_status st = protected_call(call_prox, &r);
  lar_grad_mode(former);
  if (st != LAR_OK) return st;
  const lar_tensor *u = &lb_tensor_test(lb_current(), -1)->t;
  lar_tensor own = {0};
  if (lar_overlap(u, w)) st = lar_clone(&own, u, w->dtype);
  if (st == LAR_OK) st = lar_copy(w, own.storage != NULL ? &own : u);
  lar_tensor_clear(&own);
  lua_pop(lb_current(), 1);
  return st;
}

void lb_penalty_lambda(lar_term *t, void *key) {
  t->lambda_ctx = key;
  t->lambda_fn = lambda_fn;
}

void lb_penalty_written(lar_term *t, void *key, bool prox) {
  t->ctx = key;
  t->value_fn = value_fn;
  t->key_fn = key_fn;
  if (prox) t->prox_fn = prox_fn;
}
