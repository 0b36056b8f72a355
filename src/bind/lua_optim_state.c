/* The state of an optimiser as a table, and back: what a checkpoint keeps. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bind/lb_optim.h"
#include "kern/copy.h"

/* The k-th word of the rule's names of state. */
static const char *push_word(lua_State *L, const lar_rule *rule, int k) {
  const char *s = rule->state;
  for (; k > 0; k--) s = strchr(s, ' ') + 1;
  return lua_pushlstring(L, s, strcspn(s, " "));
}

static void push_clone(lua_State *L, const lar_tensor *t) {
  lar_var **p = lb_tensor_new(L);
  lar_tensor own = {0};
  lb_check(L, lar_clone(&own, t, t->dtype));
  lar_status st = lar_var_new(p, &own);
  lar_tensor_clear(&own);
  lb_check(L, st);
}

static void push_param_state(lua_State *L, const lar_optim *o, int i) {
  lua_newtable(L);
  for (int k = 0; k < o->rule->nstate; k++) {
    const lar_tensor *t = &o->state[i * LAR_RULE_STATES + k];
    if (t->storage == NULL) continue;
    (void)push_word(L, o->rule, k);
    push_clone(L, t);
    lua_rawset(L, -3);
  }
  if (o->average[i].storage != NULL) {
    push_clone(L, &o->average[i]);
    lua_setfield(L, -2, "average");
  }
}

/* The vectors and numbers of a rule for whole data. */
static void push_memory(lua_State *L, const lar_optim *o) {
  if (o->memory.storage == NULL) return;
  push_clone(L, &o->memory);
  lua_setfield(L, -2, "memory");
  lua_createtable(L, LAR_NUMBERS, 0);
  for (int k = 0; k < LAR_NUMBERS; k++) {
    lua_pushnumber(L, o->number[k]);
    lua_rawseti(L, -2, k + 1);
  }
  lua_setfield(L, -2, "numbers");
  char text[24];
  (void)snprintf(text, sizeof text, "%016" PRIx64, o->strengths);
  lua_pushstring(L, text), lua_setfield(L, -2, "strengths");
  lua_pushnumber(L, o->value), lua_setfield(L, -2, "value");
  lua_pushnumber(L, o->first_norm), lua_setfield(L, -2, "first_norm");
}

/* Back again; the last look at the loss is to be taken anew. */
static void load_memory(lua_State *L, lar_optim *o) {
  o->stamp = 0;
  o->loaded = lua_getfield(L, 2, "strengths") == LUA_TSTRING;
  if (o->loaded) o->strengths = strtoull(lua_tostring(L, -1), NULL, 16);
  o->value = lb_opt_number(L, 2, "value", 0);
  o->first_norm = lb_opt_number(L, 2, "first_norm", 0);
  if (lua_getfield(L, 2, "memory") == LUA_TNIL) {
    lar_tensor_clear(&o->memory);
    return;
  }
  const lar_var *v = lb_tensor(L, -1);
  lar_tensor own = {0};
  lb_check(L, lar_clone(&own, &v->t, LAR_F64));
  lar_tensor_clear(&o->memory);
  o->memory = own;
  if (lua_getfield(L, 2, "numbers") != LUA_TTABLE) return;
  for (int k = 0; k < LAR_NUMBERS; k++) {
    lua_rawgeti(L, -1, k + 1);
    o->number[k] = lua_tonumber(L, -1);
    lua_pop(L, 1);
  }
}

/* opt:state() -> {rule, t, lr, options, params = {name -> {state name -> tensor}}}, and of
 * rules for whole data {memory, numbers, strengths, value, first_norm} */
int lb_optim_state(lua_State *L) {
  const lar_optim *o = lb_optim(L, 1);
  lua_createtable(L, 0, 5);
  lua_pushstring(L, o->rule->name), lua_setfield(L, -2, "rule");
  lua_pushinteger(L, o->t), lua_setfield(L, -2, "t");
  lua_pushnumber(L, o->lr), lua_setfield(L, -2, "lr");
  lua_newtable(L);
  for (const lar_param *p = o->rule->params; p != NULL && p->name != NULL; p++) {
    lua_pushnumber(L, lar_param_get(p, o->self));
    lua_setfield(L, -2, p->name);
  }
  lua_setfield(L, -2, "options");
  lua_newtable(L);
  for (int i = 0; i < o->params.n; i++) {
    push_param_state(L, o, i);
    lua_setfield(L, -2, o->params.at[i].name);
  }
  lua_setfield(L, -2, "params");
  push_memory(L, o);
  return 1;
}

static const char *state_error(lua_State *L, const lar_optim *o, int i, const char *what) {
  return lua_pushfstring(L, "%s: load_state: %s of '%s' %s", o->rule->name, what,
                         o->params.at[i].name, "is not a tensor of its shape");
}

/* Check (to NULL), or copy into `to`, the tensor named on top of the stack in the table below
 * it; pops the name. */
static void load_one(lua_State *L, lar_optim *o, int i, lar_tensor *to) {
  const char *what = lua_tostring(L, -1);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) != LUA_TNIL) {
    const lar_tensor *w = &o->params.at[i].var->t;
    lar_var *v = lb_tensor_test(L, -1);
    if (v == NULL || !lar_tensor_same_shape(&v->t, w) || !lar_dtype_is_float(v->t.dtype))
      luaL_error(L, "%s", state_error(L, o, i, what));
    if (to != NULL) lb_check(L, lar_copy(to, &v->t));
  } else if (to != NULL && to->storage != NULL) {
    lar_fill(to, 0);
  }
  lua_pop(L, 2);
}

/* The state of parameter i from the table at the top; `write`: after all has been checked. */
static void load_param(lua_State *L, lar_optim *o, int i, bool write) {
  if (write) lb_check(L, lar_optim_ready(o, i));
  for (int k = 0; k < o->rule->nstate; k++) {
    lar_tensor *to = &o->state[i * LAR_RULE_STATES + k];
    (void)push_word(L, o->rule, k);
    load_one(L, o, i, write && to->storage != NULL ? to : NULL);
  }
  if (!lb_has_field(L, lua_gettop(L), "average")) return;
  lua_pushliteral(L, "average");
  load_one(L, o, i, write && o->average[i].storage != NULL ? &o->average[i] : NULL);
}

static void load_params(lua_State *L, lar_optim *o, int params, bool write) {
  for (int i = 0; i < o->params.n; i++) {
    if (lua_getfield(L, params, o->params.at[i].name) != LUA_TTABLE)
      luaL_error(L, "%s: load_state: there is no state of '%s'", o->rule->name,
                 o->params.at[i].name);
    load_param(L, o, i, write);
    lua_pop(L, 1);
  }
}

/* opt:load_state(t): what opt:state() gave, of the same rule and parameters */
int lb_optim_load_state(lua_State *L) {
  lar_optim *o = lb_optim(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  lua_getfield(L, 2, "rule");
  const char *name = luaL_checkstring(L, -1);
  if (strcmp(name, o->rule->name) != 0)
    return luaL_error(L, "%s: load_state: this is the state of '%s'", o->rule->name, name);
  void *self = lb_push_self(L, o->rule, o->self);
  if (lua_getfield(L, 2, "options") == LUA_TTABLE)
    lb_params(L, -1, o->rule->name, o->rule->params, self, NULL);
  double lr = lb_opt_number(L, 2, "lr", o->lr), t = lb_opt_number(L, 2, "t", 0);
  if (lua_getfield(L, 2, "params") != LUA_TTABLE)
    return luaL_error(L, "%s: load_state: it has no params", o->rule->name);
  int params = lua_gettop(L);
  load_params(L, o, params, false);
  for (const lar_param *p = o->rule->params; p != NULL && p->name != NULL; p++)
    lb_check(L, lar_optim_set(o, p->name, lar_param_get(p, self)));
  load_params(L, o, params, true);
  load_memory(L, o);
  o->lr = lr;
  o->t = (int64_t)t;
  lua_settop(L, 1);
  return 1;
}
