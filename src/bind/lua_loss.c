/* Criteria: losses with their options, called with a prediction and a target. */
#include <string.h>

#include "bind/lb_model.h"

enum { NAME = 32 };

/* ---- objects ---- */

static lar_criterion *new_criterion(lua_State *L) {
  return lb_new(L, sizeof(lar_criterion), LB_CRITERION);
}

lar_criterion *lb_criterion_test(lua_State *L, int arg) {
  return luaL_testudata(L, arg, LB_CRITERION);
}

static void unknown_loss(lua_State *L, const char *name) {
  const char *known[48];
  size_t n = 0;
  for (const lar_loss *const *p = lar_losses; *p != NULL && n < 48; p++)
    known[n++] = (*p)->name;
  lb_check(L, lar_param_unknown("loss", name, known, n));
}

lar_criterion *lb_criterion(lua_State *L, int arg) {
  if (lua_type(L, arg) == LUA_TSTRING) {
    const lar_loss *type = lar_loss_find(lua_tostring(L, arg));
    arg = lua_absindex(L, arg);
    if (type == NULL) unknown_loss(L, lua_tostring(L, arg));
    lar_criterion *c = new_criterion(L);
    lb_check(L, lar_criterion_init(c, type));
    lua_replace(L, arg);
    return c;
  }
  lar_criterion *c = lb_criterion_test(L, arg);
  if (c == NULL) luaL_typeerror(L, arg, "loss");
  return c;
}

static int criterion_gc(lua_State *L) {
  lar_criterion_clear(luaL_checkudata(L, 1, LB_CRITERION));
  return 0;
}

/* ---- options ---- */

static void set_reduction(lua_State *L, int arg, lar_criterion *c) {
  if (lua_getfield(L, arg, "reduction") != LUA_TNIL) {
    const char *name = lua_tostring(L, -1);
    if (name == NULL || !lar_reduction_find(name, &c->reduction))
      luaL_error(L, "%s: reduction = '%s' must be one of mean, sum, none, batchmean",
                 c->type->name, luaL_tolstring(L, -1, NULL));
  }
  lua_pop(L, 1);
}

static void set_extra(lua_State *L, int arg, lar_criterion *c, int k, const char *name) {
  int top = lua_gettop(L);
  if (lua_getfield(L, arg, name) != LUA_TNIL) {
    lar_var *v = lb_tensor_from(L, -1, lar_default_dtype);
    lar_var_ref(v);
    lar_var_unref(c->extra[k]);
    c->extra[k] = v;
  }
  lua_settop(L, top);
}

/* Options of the table at `arg` into c; `weight` is a key only in calls. */
static void set_options(lua_State *L, int arg, lar_criterion *c, bool call) {
  char name[LAR_LOSS_MAX_EXTRA][NAME];
  const char *others[LAR_LOSS_MAX_EXTRA + 3] = {"reduction"};
  int n = 1;
  if (call) others[n++] = "weight";
  for (int k = 0; k < LAR_LOSS_MAX_EXTRA && lar_loss_extra(c->type, k, name[k], NAME); k++) {
    others[n++] = name[k];
    set_extra(L, arg, c, k, name[k]);
  }
  lb_params(L, arg, c->type->name, c->type->params, c->self, others);
  set_reduction(L, arg, c);
}

static lar_criterion *push_copy(lua_State *L, const lar_criterion *from) {
  lar_criterion *c = new_criterion(L);
  lb_check(L, lar_criterion_copy(c, from));
  return c;
}

/* ---- calling ---- */

/* A list of integers is a list of labels where the loss takes labels. */
static lar_dtype table_dtype(lua_State *L, int arg, const lar_criterion *c,
                             const lar_var *pred) {
  bool whole = false;
  if (c->type->traits & LAR_LOSS_LABELS) {
    lua_rawgeti(L, arg, 1);
    whole = lua_isinteger(L, -1);
    lua_pop(L, 1);
  }
  return whole ? LAR_I64 : pred->t.dtype;
}

static lar_var *target_at(lua_State *L, int arg, const lar_criterion *c, const lar_var *pred) {
  if (lua_isnil(L, arg)) luaL_error(L, "%s: the target is missing", c->type->name);
  if (lua_istable(L, arg)) return lb_tensor_parse(L, arg, table_dtype(L, arg, c, pred));
  return lb_tensor_from(L, arg, pred->t.dtype);
}

static lar_var *weight_in(lua_State *L, int arg) {
  if (lua_getfield(L, arg, "weight") == LUA_TNIL) return NULL;
  return lb_tensor_from(L, -1, lar_default_dtype);
}

/* loss(pred, target [, options]), or loss{options}: a criterion with these set. */
static int criterion_call(lua_State *L) {
  lar_criterion *c = lb_criterion(L, 1);
  lar_var *weight = NULL;
  if (lua_gettop(L) == 2 && lua_istable(L, 2)) {
    set_options(L, 2, push_copy(L, c), false);
    return 1;
  }
  lar_var *pred = lb_tensor_test(L, 2);
  if (pred == NULL)
    return luaL_error(L, "%s: the prediction must be a tensor, not %s", c->type->name,
                      luaL_typename(L, 2));
  lua_settop(L, 4);
  lar_var *target = target_at(L, 3, c, pred);
  if (!lua_isnil(L, 4)) {
    luaL_checktype(L, 4, LUA_TTABLE);
    c = push_copy(L, c);
    set_options(L, 4, c, true);
    weight = weight_in(L, 4);
  }
  lb_pressure(L);
  lar_var **out = lb_tensor_new(L);
  lar_scope s;
  lar_scope_init(&s);
  lar_var *v = lar_loss_apply(c, &s, pred, target, weight);
  lar_status st = lar_scope_take(&s, v, out);
  lar_scope_clear(&s);
  lb_check(L, st);
  return 1;
}

/* ---- fields and text ---- */

static int push_param(lua_State *L, const lar_param *p, const void *self) {
  char text[64];
  double v = lar_param_get(p, self);
  if (p->kind == LAR_FLAG) {
    lua_pushboolean(L, v != 0);
  } else if (p->kind == LAR_CHOICE) {
    lar_param_choice(p, (int)v, text, sizeof text);
    lua_pushstring(L, text);
  } else {
    lua_pushnumber(L, v);
  }
  return 1;
}

static int criterion_index(lua_State *L) {
  const lar_criterion *c = luaL_checkudata(L, 1, LB_CRITERION);
  const char *key = luaL_checkstring(L, 2);
  char name[NAME];
  if (strcmp(key, "name") == 0) return lua_pushstring(L, c->type->name), 1;
  if (strcmp(key, "doc") == 0) return lua_pushstring(L, c->type->doc), 1;
  if (strcmp(key, "source") == 0) return lua_pushstring(L, c->type->source), 1;
  if (strcmp(key, "reduction") == 0)
    return lua_pushstring(L, lar_reduction_name(c->reduction)), 1;
  const lar_param *p = lar_param_find(c->type->params, key);
  if (p != NULL) return push_param(L, p, c->self);
  for (int k = 0; lar_loss_extra(c->type, k, name, NAME); k++)
    if (strcmp(name, key) == 0) return lb_tensor_push(L, c->extra[k]), 1;
  return luaL_error(L, "%s has no '%s'", c->type->name, key);
}

/* huber{delta=2}: c (|d| - c/2), ... */
static int criterion_tostring(lua_State *L) {
  const lar_criterion *c = luaL_checkudata(L, 1, LB_CRITERION);
  luaL_Buffer b;
  const char *gap = "";
  luaL_buffinit(L, &b);
  luaL_addstring(&b, c->type->name);
  luaL_addchar(&b, '{');
  for (const lar_param *p = c->type->params; p != NULL && p->name != NULL; p++) {
    lua_pushfstring(L, "%s%s=", gap, p->name);
    luaL_addvalue(&b);
    push_param(L, p, c->self);
    luaL_tolstring(L, -1, NULL);
    lua_remove(L, -2);
    luaL_addvalue(&b);
    gap = ", ";
  }
  if (c->reduction != LAR_MEAN) {
    lua_pushfstring(L, "%sreduction=%s", gap, lar_reduction_name(c->reduction));
    luaL_addvalue(&b);
  }
  lua_pushfstring(L, "}: %s", c->type->doc);
  luaL_addvalue(&b);
  luaL_pushresult(&b);
  return 1;
}

static const luaL_Reg meta[] = {
  {"__gc", criterion_gc},
  {"__call", criterion_call},
  {"__index", criterion_index},
  {"__tostring", criterion_tostring},
  {NULL, NULL},
};
static const luaL_Reg nothing[] = {{NULL, NULL}};

void lb_open_loss(lua_State *L) {
  lb_class(L, LB_CRITERION, nothing, meta);
  lua_newtable(L);
  for (const lar_loss *const *p = lar_losses; *p != NULL; p++) {
    lb_check(L, lar_criterion_init(new_criterion(L), *p));
    lua_setfield(L, -2, (*p)->name);
  }
  lua_setfield(L, -2, "loss");
}
