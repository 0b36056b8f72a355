/* Optimisers: recipes (a rule and options), and objects bound to parameters. */
#include <string.h>

#include "bind/lb_forward.h"
#include "bind/lb_optim.h"

/* User values: what is anchored, the options table, the penalty object. */
enum { OPTIONS = 2, PENALTY = 3 };

typedef struct opt {
  const lar_rule *rule;
  lar_optim *o; /* NULL: a recipe */
} opt;

static opt *opt_new(lua_State *L, const lar_rule *rule) {
  opt *p = lua_newuserdatauv(L, sizeof *p, 3);
  *p = (opt){.rule = rule};
  luaL_setmetatable(L, LB_OPTIM);
  return p;
}

static opt *checked(lua_State *L, int arg) { return luaL_checkudata(L, arg, LB_OPTIM); }

lar_optim *lb_optim(lua_State *L, int arg) {
  const opt *p = checked(L, arg);
  if (p->o == NULL)
    luaL_error(L, "%s: this is a recipe; give it parameters: lariat.optim.%s(model, {...})",
               p->rule->name, p->rule->name);
  return p->o;
}

static int opt_gc(lua_State *L) {
  opt *p = checked(L, 1);
  lar_optim_free(p->o);
  p->o = NULL;
  return 0;
}

/* ---- making ---- */

/* The penalty at `at` becomes that of the optimiser object at `self`. */
static void set_penalty(lua_State *L, int self, int at) {
  self = lua_absindex(L, self);
  at = lua_absindex(L, at);
  lar_optim *o = lb_optim(L, self);
  lar_reg *reg = lb_reg(L, at);
  if (reg != NULL) lb_anchor_all(L, self, at);
  lb_enter(L);
  lb_check(L, lar_optim_penalty(o, reg));
  lua_pushvalue(L, at);
  lua_setiuservalue(L, self, PENALTY);
}

/* Push an optimiser bound to `target`, from the options at `at`. */
static void bind(lua_State *L, const lar_rule *rule, int at, int target) {
  opt *p = opt_new(L, rule);
  int mine = lua_gettop(L);
  lua_pushvalue(L, at);
  lua_setiuservalue(L, mine, OPTIONS);
  lb_optim_read(L, at, rule, lb_params_of(L, target), &p->o);
  if (lua_getfield(L, at, "penalty") != LUA_TNIL) set_penalty(L, mine, -1);
  lua_settop(L, mine);
}

/* Read every option once, so that a recipe with a mistake never comes to be. */
static void check_options(lua_State *L, int at, const lar_rule *rule) {
  int top = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1))
    if (lua_type(L, -2) != LUA_TSTRING)
      luaL_error(L, "%s: options are named; found the key %s", rule->name,
                 luaL_tolstring(L, -2, NULL));
  lb_optim_read(L, at, rule, NULL, NULL);
  if (lua_getfield(L, at, "penalty") != LUA_TNIL) (void)lb_reg(L, -1);
  lua_settop(L, top);
}

/* Push a copy of the options at `at` (none: an empty table), and the rule they are for. */
static const lar_rule *push_options(lua_State *L, int at, const lar_rule *rule) {
  lua_newtable(L);
  if (lua_isnoneornil(L, at)) return rule;
  if (!lua_istable(L, at))
    luaL_error(L, "%s: options are a table, not a %s", rule->name, luaL_typename(L, at));
  for (lua_pushnil(L); lua_next(L, at);) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
  if (strcmp(rule->name, "adam") != 0 || !lb_has_field(L, lua_gettop(L), "amsgrad"))
    return rule;
  if (lb_opt_flag(L, lua_gettop(L), "amsgrad", false)) rule = lb_rule(L, "amsgrad");
  lua_pushnil(L);
  lua_setfield(L, -2, "amsgrad");
  return rule;
}

/* make(rule, target or nil, options) -> a recipe, or an optimiser */
static int make(lua_State *L) {
  const lar_rule *rule = lb_rule(L, luaL_checkstring(L, 1));
  lua_settop(L, 3);
  rule = push_options(L, 3, rule);
  check_options(L, 4, rule);
  if (!lua_isnil(L, 2)) {
    bind(L, rule, 4, 2);
    return 1;
  }
  (void)opt_new(L, rule);
  lua_pushvalue(L, 4);
  lua_setiuservalue(L, -2, OPTIONS);
  return 1;
}

/* A table of named options, rather than a list or table of tensors? */
static bool is_options(lua_State *L, int arg) {
  if (!lb_is_options(L, arg)) return false;
  bool tensors = false;
  for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1))
    tensors = tensors || lb_tensor_test(L, -1) != NULL;
  return !tensors;
}

/* rule([target,] [options]); upvalue 1: the rule's name */
static int construct(lua_State *L) {
  lua_settop(L, 2);
  if (lua_isnil(L, 2) && (lua_isnil(L, 1) || is_options(L, 1))) {
    lua_insert(L, 1); /* nil, options */
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  return make(L);
}

/* constructor(name) -> a function that makes recipes and optimisers of that rule */
static int constructor(lua_State *L) {
  (void)lb_rule(L, luaL_checkstring(L, 1));
  lua_settop(L, 1);
  lua_pushcclosure(L, construct, 1);
  return 1;
}

lar_optim *lb_optim_for(lua_State *L, int arg, int target, int penalty) {
  arg = lua_absindex(L, arg);
  target = lua_absindex(L, target);
  penalty = penalty != 0 ? lua_absindex(L, penalty) : 0;
  if (lua_type(L, arg) == LUA_TSTRING) {
    const lar_rule *rule = lb_rule(L, lua_tostring(L, arg));
    lua_newtable(L);
    bind(L, rule, lua_gettop(L), target);
    lua_remove(L, -2);
  } else if (checked(L, arg)->o != NULL) {
    lua_pushvalue(L, arg);
  } else {
    lua_getiuservalue(L, arg, OPTIONS);
    bind(L, checked(L, arg)->rule, lua_gettop(L), target);
    lua_remove(L, -2);
  }
  if (penalty != 0 && !lua_isnil(L, penalty)) set_penalty(L, -1, penalty);
  return lb_optim(L, -1);
}

/* bind(optimiser or recipe or name, target, penalty or nil) -> optimiser */
static int core_bind(lua_State *L) {
  lua_settop(L, 3);
  (void)lb_optim_for(L, 1, 2, 3);
  return 1;
}

/* ---- fields ---- */

static double *setting(lar_optim *o, const char *key) {
  if (strcmp(key, "lr") == 0) return &o->lr;
  if (strcmp(key, "ema") == 0) return &o->ema;
  if (strcmp(key, "sam") == 0) return &o->sam;
  if (strcmp(key, "clip_norm") == 0) return &o->clip_norm;
  if (strcmp(key, "clip_value") == 0) return &o->clip_value;
  return NULL;
}

/* A field of a recipe: from its options, else the default. */
static int recipe_field(lua_State *L, const opt *p, const char *key) {
  const lar_param *row = lar_param_find(p->rule->params, key);
  lua_getiuservalue(L, 1, OPTIONS);
  if (lua_getfield(L, -1, key) != LUA_TNIL) return 1;
  if (strcmp(key, "lr") == 0) return lua_pushnumber(L, p->rule->lr), 1;
  if (row != NULL) return lua_pushnumber(L, row->init), 1;
  return 1;
}

/* Upvalue 1: the methods. */
static int opt_index(lua_State *L) {
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  const opt *p = checked(L, 1);
  const char *key = luaL_checkstring(L, 2);
  if (strcmp(key, "rule") == 0) return lua_pushstring(L, p->rule->name), 1;
  if (strcmp(key, "full_batch") == 0) return lua_pushboolean(L, p->rule->full_batch), 1;
  if (strcmp(key, "whole") == 0) return lua_pushboolean(L, p->rule->iterate != NULL), 1;
  if (strcmp(key, "bound") == 0) return lua_pushboolean(L, p->o != NULL), 1;
  if (p->o == NULL) return recipe_field(L, p, key);
  const double *v = setting(p->o, key);
  const lar_param *row = lar_param_find(p->rule->params, key);
  if (v != NULL) return lua_pushnumber(L, *v), 1;
  if (row != NULL) return lua_pushnumber(L, lar_param_get(row, p->o->self)), 1;
  if (strcmp(key, "t") == 0) return lua_pushinteger(L, p->o->t), 1;
  if (strcmp(key, "grad_norm") == 0) return lua_pushnumber(L, p->o->grad_norm), 1;
  if (strcmp(key, "converged") == 0) return lua_pushboolean(L, p->o->done), 1;
  if (strcmp(key, "stalled") == 0) return lua_pushboolean(L, p->o->stalled), 1;
  if (strcmp(key, "penalty") == 0) return lua_getiuservalue(L, 1, PENALTY), 1;
  return luaL_error(L, "%s: an optimiser has no '%s'", p->rule->name, key);
}

static int set_number(lua_State *L, lar_optim *o, double *to, const char *key) {
  double v = luaL_checknumber(L, 3);
  if (strcmp(key, "ema") == 0)
    (void)lb_optim_ema(L, o->rule, v);
  else if (!(v >= 0 && v < HUGE_VAL)) /* lr 0: the end of a schedule */
    return luaL_error(L, "%s: %s = %f; it must be finite and not negative", o->rule->name, key,
                      v);
  *to = v;
  return 0;
}

static int opt_newindex(lua_State *L) {
  lar_optim *o = lb_optim(L, 1);
  const char *key = luaL_checkstring(L, 2);
  double *to = setting(o, key);
  if (to != NULL) return set_number(L, o, to, key);
  if (strcmp(key, "penalty") == 0) {
    set_penalty(L, 1, 3);
    return 0;
  }
  if (lar_param_find(o->rule->params, key) == NULL)
    return luaL_error(L, "%s: an optimiser has no '%s' to set", o->rule->name, key);
  double v = lua_isboolean(L, 3) ? lua_toboolean(L, 3) : luaL_checknumber(L, 3);
  lb_check(L, lar_optim_set(o, key, v));
  return 0;
}

static void add_number(luaL_Buffer *b, const char *key, double v) {
  char text[64];
  (void)snprintf(text, sizeof text, ", %s = %g", key, v);
  luaL_addstring(b, text);
}

static int recipe_tostring(lua_State *L, const opt *p) {
  char text[64];
  luaL_Buffer b;
  lua_getiuservalue(L, 1, OPTIONS);
  double lr = lb_opt_number(L, -1, "lr", p->rule->lr);
  (void)snprintf(text, sizeof text, "%s: lr = %g", p->rule->name, lr);
  luaL_buffinit(L, &b);
  luaL_addstring(&b, text);
  luaL_addstring(&b, " (a recipe: not bound to parameters)");
  luaL_pushresult(&b);
  return 1;
}

/* Strengths that set_lambda or a schedule put in place of the penalty's own. */
static void add_strengths(luaL_Buffer *b, const lar_bound *bound) {
  const char *sep = "\nin force: ";
  for (int k = 0; bound != NULL && k < lar_bound_terms(bound); k++) {
    char text[96];
    if (!lar_bound_is_set(bound, k)) continue;
    (void)snprintf(text, sizeof text, "%s%s = %g", sep, lar_bound_name(bound, k),
                   lar_bound_lambda(bound, k));
    luaL_addstring(b, text);
    sep = ", ";
  }
}

static int opt_tostring(lua_State *L) {
  const opt *p = checked(L, 1);
  const lar_optim *o = p->o;
  char text[160];
  luaL_Buffer b;
  int64_t numbers = 0;
  if (o == NULL) return recipe_tostring(L, p);
  for (int i = 0; i < o->params.n; i++) numbers += lar_tensor_numel(&o->params.at[i].var->t);
  lua_getiuservalue(L, 1, PENALTY);
  const char *penalty = lua_isnil(L, -1) ? NULL : luaL_tolstring(L, -1, NULL);
  luaL_buffinit(L, &b);
  (void)snprintf(text, sizeof text, "%s: lr = %g", o->rule->name, o->lr);
  luaL_addstring(&b, text);
  for (const lar_param *row = o->rule->params; row != NULL && row->name != NULL; row++)
    add_number(&b, row->name, lar_param_get(row, o->self));
  if (o->clip_norm > 0) add_number(&b, "clip_norm", o->clip_norm);
  if (o->clip_value > 0) add_number(&b, "clip_value", o->clip_value);
  if (o->ema > 0) add_number(&b, "ema", o->ema);
  if (o->sam > 0) add_number(&b, "sam", o->sam);
  (void)snprintf(text, sizeof text, "\n%d parameters of %lld numbers, %lld steps", o->params.n,
                 (long long)numbers, (long long)o->t);
  luaL_addstring(&b, text);
  if (penalty != NULL) {
    luaL_addstring(&b, "\npenalty: ");
    luaL_addstring(&b, penalty);
    add_strengths(&b, o->bound);
  }
  luaL_pushresult(&b);
  return 1;
}

/* rules() -> a list of {name, doc, source, lr, state, params} */
static int rules(lua_State *L) {
  lua_newtable(L);
  for (int k = 0; lar_rules[k] != NULL; k++) {
    const lar_rule *r = lar_rules[k];
    lua_createtable(L, 0, 9);
    lua_pushstring(L, r->name), lua_setfield(L, -2, "name");
    lua_pushstring(L, r->doc), lua_setfield(L, -2, "doc");
    lua_pushstring(L, r->source), lua_setfield(L, -2, "source");
    lua_pushstring(L, r->state), lua_setfield(L, -2, "state");
    lua_pushnumber(L, r->lr), lua_setfield(L, -2, "lr");
    lua_pushboolean(L, r->full_batch), lua_setfield(L, -2, "full_batch");
    lua_pushboolean(L, r->iterate != NULL), lua_setfield(L, -2, "whole");
    lua_newtable(L);
    for (const lar_param *p = r->params; p != NULL && p->name != NULL; p++) {
      lua_pushnumber(L, p->init);
      lua_setfield(L, -2, p->name);
    }
    lua_setfield(L, -2, "params");
    lua_rawseti(L, -2, k + 1);
  }
  return 1;
}

static int is_optim(lua_State *L) {
  return lua_pushboolean(L, luaL_testudata(L, 1, LB_OPTIM) != NULL), 1;
}

static const luaL_Reg methods[] = {
  {"zero_grad", lb_optim_zero_grad},
  {"step", lb_optim_step},
  {"forward", lb_optim_forward},
  {"state", lb_optim_state},
  {"load_state", lb_optim_load_state},
  {"swap_ema", lb_optim_swap_ema},
  {"ascend", lb_optim_ascend},
  {"descend", lb_optim_descend},
  {"get_lambda", lb_optim_get_lambda},
  {"set_lambda", lb_optim_set_lambda},
  {"close", opt_gc},
  {NULL, NULL},
};

static const luaL_Reg meta[] = {
  {"__gc", opt_gc},
  {"__close", opt_gc},
  {"__newindex", opt_newindex},
  {"__tostring", opt_tostring},
  {NULL, NULL},
};

static const luaL_Reg lib[] = {
  {"constructor", constructor},
  {"bind", core_bind},
  {"rules", rules},
  {"is", is_optim},
  {NULL, NULL},
};

void lb_open_optim(lua_State *L) {
  luaL_newmetatable(L, LB_OPTIM);
  luaL_setfuncs(L, meta, 0);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_pushcclosure(L, opt_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  luaL_newlib(L, lib);
  lua_setfield(L, -2, "optim");
}
