/* Making penalties: built-in ones by name and options, and ones written in Lua. */
#include <string.h>

#include "bind/lb_penalty.h"
#include "core/mem.h"
#include "kern/copy.h"

/* Push an empty penalty object holding a fresh term; the term is borrowed from it. */
static lar_term *push_term(lua_State *L, const lar_penalty *type, const char *name) {
  lar_reg **p = lb_penalty_new(L);
  lar_term *t;
  lb_check(L, lar_term_new(&t, type, name));
  lar_status st = lar_reg_of(p, t);
  lar_term_unref(t);
  lb_check(L, st);
  return (*p)->at[0].term;
}

/* lambda = number or function, from the field of the table at `arg`. */
static void read_lambda(lua_State *L, int arg, int owner, lar_term *t) {
  int type = lua_getfield(L, arg, "lambda");
  if (type == LUA_TFUNCTION) {
    lb_penalty_lambda(t, lb_anchor(L, owner, -1));
  } else if (type == LUA_TNUMBER) {
    t->lambda = lua_tonumber(L, -1);
    if (!(t->lambda >= 0 && t->lambda < HUGE_VAL))
      luaL_error(L, "%s: lambda = %f; it must be finite and not negative", t->name,
                 lar_shown(t->lambda));
  } else if (type != LUA_TNIL) {
    luaL_error(L, "%s: lambda must be a number or a function, not a %s", t->name,
               lua_typename(L, type));
  }
  lua_pop(L, 1);
}

static void read_mode(lua_State *L, int arg, lar_term *t) {
  if (lua_getfield(L, arg, "mode") != LUA_TNIL) {
    const char *mode = luaL_checkstring(L, -1);
    bool sub = strcmp(mode, "subgradient") == 0;
    if (!sub && strcmp(mode, "proximal") != 0)
      luaL_error(L, "%s: mode = '%s' must be \"proximal\" or \"subgradient\"", t->name, mode);
    unsigned traits = t->type != NULL ? t->type->traits : 0;
    if (sub && (traits & LAR_CONSTRAINT))
      luaL_error(L, "%s: a constraint has no subgradient mode", t->name);
    if (sub && (traits & LAR_FLAT))
      luaL_error(L, "%s: its gradient is 0, so subgradient mode would do nothing", t->name);
    t->mode = sub ? LAR_SUBGRADIENT : LAR_PROXIMAL;
  }
  lua_pop(L, 1);
}

static void check_weights(lua_State *L, const lar_term *t, const char *field,
                          const lar_tensor *weight) {
  const double *w = lar_tensor_data(weight);
  for (int64_t j = 0, n = lar_tensor_numel(weight); j < n; j++)
    if (!(w[j] >= 0))
      luaL_error(L, "%s: %s: weight %f at position %d is negative or not a number", t->name,
                 field, lar_shown(w[j]), (int)j + 1);
    else if ((t->type->traits & LAR_RANKED) && (w[j] == HUGE_VAL || (j > 0 && w[j] > w[j - 1])))
      luaL_error(L, "%s: weights of ranks fall and are finite; %f is at position %d", t->name,
                 w[j], (int)j + 1);
}

/* A copy of the tensor, list or number in the field, into *out. */
static void read_weights(lua_State *L, int arg, lar_term *t, const char *field, lar_var **out) {
  if (lua_getfield(L, arg, field) != LUA_TNIL) {
    int type = lua_type(L, -1);
    lar_var *v = lb_tensor_test(L, -1);
    if (v == NULL && type != LUA_TTABLE && type != LUA_TNUMBER)
      luaL_error(L, "%s: %s must be a tensor, a list of numbers or a number, not a %s", t->name,
                 field, lua_typename(L, type));
    if (v == NULL) v = lb_tensor_from(L, -1, LAR_F64);
    lar_tensor own = {0};
    lb_check(L, lar_clone(&own, &v->t, LAR_F64));
    lar_status st = lar_var_new(out, &own);
    lar_tensor_clear(&own);
    lb_check(L, st);
    check_weights(L, t, field, &(*out)->t);
  }
}

/* A fresh int64 vector, owned by *out. */
static int64_t *integers(lua_State *L, lar_var **out, int64_t n) {
  lb_check(L, lar_var_init(out, LAR_I64, 1, &n));
  return lar_tensor_data(&(*out)->t);
}

static int64_t list_length(lua_State *L, const lar_term *t, int at) {
  int64_t total = 0;
  for (int k = 1; k <= (int)lua_rawlen(L, at); k++) {
    if (lua_rawgeti(L, at, k) != LUA_TTABLE)
      luaL_error(L, "%s: group %d is a %s, not a list of positions%s", t->name, k,
                 lb_penalty_what(L, -1),
                 lua_type(L, -1) == LUA_TNUMBER ? " (ids of groups go into an int64 tensor)"
                                                : "");
    if (lua_rawlen(L, -1) == 0) luaL_error(L, "%s: group %d is empty", t->name, k);
    total += (int64_t)lua_rawlen(L, -1);
    lua_pop(L, 1);
  }
  return total;
}

static void read_lists(lua_State *L, int at, lar_term *t) {
  int64_t n = (int64_t)lua_rawlen(L, at), total = list_length(L, t, at), filled = 0;
  if (n == 0) luaL_error(L, "%s: groups is an empty list", t->name);
  int64_t *size = integers(L, &t->sizes, n), *list = integers(L, &t->list, total);
  for (int64_t k = 0; k < n; k++) {
    lua_rawgeti(L, at, k + 1);
    size[k] = (int64_t)lua_rawlen(L, -1);
    for (int64_t i = 1; i <= size[k]; i++) {
      int exact;
      lua_rawgeti(L, -1, i);
      list[filled++] = lua_tointegerx(L, -1, &exact);
      if (!exact)
        luaL_error(L, "%s: group %d holds %s, not a position", t->name, (int)k + 1,
                   lb_text(L, -1));
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
  }
}

static void read_ids(lua_State *L, int at, lar_term *t) {
  lar_var *v = lb_tensor_test(L, at);
  lar_tensor own = {0};
  if (v == NULL)
    luaL_error(L, "%s: groups must be lists of positions or an int64 tensor of ids, not a %s%s",
               t->name, lb_penalty_what(L, at),
               lua_type(L, at) == LUA_TSTRING ? " (did you mean by?)" : "");
  if (v->t.dtype != LAR_I64)
    luaL_error(L, "%s: group ids are int64, not %s", t->name, lar_dtype_name(v->t.dtype));
  lb_check(L, lar_clone(&own, &v->t, LAR_I64));
  lar_status st = lar_var_new(&t->ids, &own);
  lar_tensor_clear(&own);
  lb_check(L, st);
}

static void read_groups(lua_State *L, int arg, lar_term *t) {
  if (lua_getfield(L, arg, "by") != LUA_TNIL) {
    lar_groups g;
    lar_tensor probe = {.ndim = 2};
    const char *by = luaL_checkstring(L, -1);
    lar_status st = LAR_OK;
    if ((t->type->traits & LAR_GRAPH) != 0) {
      probe.shape[0] = probe.shape[1] = 0;
      st = lar_groups_graph(&g, by, &probe);
      lar_groups_clear(&g);
    } else {
      st = lar_groups_by(&g, by, &probe);
    }
    if (st != LAR_OK) luaL_error(L, "%s: %s", t->name, lar_why());
    lar_free(t->by);
    lb_check(L, lar_strdup(&t->by, by));
  }
  lua_pop(L, 1);
  int type = lua_getfield(L, arg, "groups");
  if (type != LUA_TNIL && lua_getfield(L, arg, "by") != LUA_TNIL)
    luaL_error(L, "%s: give by or groups, not both", t->name);
  if (type != LUA_TNIL) lua_pop(L, 1);
  if (type == LUA_TTABLE)
    read_lists(L, lua_gettop(L), t);
  else if (type != LUA_TNIL)
    read_ids(L, lua_gettop(L), t);
  lua_pop(L, 1);
}

static int given_gc(lua_State *L) {
  lar_given **p = lua_touserdata(L, 1);
  lar_given_unref(*p);
  *p = NULL;
  return 0;
}

/* Copies of what the field holds: a model, a table of tensors by name, a tensor or a number. */
static lar_given *read_given(lua_State *L, int arg, const lar_term *t, const char *field) {
  lar_given **out = lb_new(L, sizeof *out, "lariat.given");
  int type = lua_getfield(L, arg, field), at = lua_gettop(L);
  if (type == LUA_TNIL)
    luaL_error(L, "%s: %s is missing: a model, a table name -> tensor, a tensor or a number",
               t->name, field);
  if (type == LUA_TNUMBER) (void)lb_tensor_from(L, at, LAR_F64), lua_replace(L, at);
  const lar_params *from = lb_params_of(L, at);
  lb_check(L, lar_given_new(out, from, lb_tensor_test(L, at) != NULL));
  return lar_given_ref(*out);
}

static void read_all_given(lua_State *L, int arg, lar_term *t) {
  int top = lua_gettop(L);
  if (t->type->traits & LAR_TOWARDS) t->towards = read_given(L, arg, t, "towards");
  if (t->type->traits & LAR_FISHER) {
    t->fisher = read_given(L, arg, t, "fisher");
    for (int k = 0; k < t->fisher->p.n; k++) {
      const lar_pentry *e = &t->fisher->p.at[k];
      for (int64_t i = 0, n = lar_tensor_numel(&e->var->t); i < n; i++)
        if (!(lar_tensor_get(&e->var->t, i) >= 0))
          luaL_error(L, "%s: fisher of '%s' is negative or not a number at position %d",
                     t->name, e->name, (int)i + 1);
    }
  }
  lua_settop(L, top);
}

static const lar_penalty *find(lua_State *L, const char *name) {
  const lar_penalty *type = lar_penalty_find(name);
  if (type == NULL) luaL_error(L, "penalty: there is no '%s'", name);
  return type;
}

enum { WEIGHTED = LAR_SEPARABLE | LAR_RANKED | LAR_GROUPED };

/* Items without a key are no options, and constraints have no strength. */
static void check_keys(lua_State *L, int arg, const lar_penalty *type) {
  if (lua_rawlen(L, arg) > 0)
    luaL_error(L, "%s: its table holds an item without a key; write %s(x), or key = x",
               type->name, type->name);
  if ((type->traits & LAR_CONSTRAINT) && lua_getfield(L, arg, "lambda") != LUA_TNIL)
    luaL_error(L, "%s: a constraint has no lambda", type->name);
}

/* make(name, options) -> penalty */
static int make(lua_State *L) {
  const lar_penalty *type = find(L, luaL_checkstring(L, 1));
  const char *known[12];
  size_t n = 0;
  lua_settop(L, 2);
  if (!(type->traits & LAR_CONSTRAINT)) known[n++] = "lambda", known[n++] = "mode";
  if (type->traits & LAR_GROUPED) known[n++] = "by", known[n++] = "groups";
  bool weighted = (type->traits & WEIGHTED) != 0 && (type->traits & LAR_CONSTRAINT) == 0;
  if (weighted) known[n++] = "weights";
  if (type->traits & LAR_SOFT) known[n++] = "l1_weights";
  if (type->traits & LAR_TOWARDS) known[n++] = "towards";
  if (type->traits & LAR_FISHER) known[n++] = "fisher";
  known[n] = NULL;
  lar_term *t = push_term(L, type, type->name);
  if (lua_isnil(L, 2)) lua_newtable(L), lua_replace(L, 2);
  check_keys(L, 2, type);
  lb_params(L, 2, type->name, type->params, t->self, known);
  if (type->check != NULL) lb_check(L, type->check(t->self));
  if (!(type->traits & LAR_CONSTRAINT)) {
    read_lambda(L, 2, 3, t);
    read_mode(L, 2, t);
  }
  if (weighted) read_weights(L, 2, t, "weights", &t->weights);
  if (type->traits & LAR_SOFT) read_weights(L, 2, t, "l1_weights", &t->l1_weights);
  if (type->traits & LAR_GROUPED) read_groups(L, 2, t);
  read_all_given(L, 2, t);
  lua_settop(L, 3);
  return 1;
}

/* (number [, number or options]) at 1 and 2 become one table of options at 1; upvalues 2 and 3
 * are the options that the numbers are. */
static void gather(lua_State *L) {
  lua_newtable(L);
  if (lua_istable(L, 2))
    for (lua_pushnil(L); lua_next(L, 2);) {
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, 3);
    }
  else if (!lua_isnil(L, 2)) {
    if (lua_isnil(L, lua_upvalueindex(3)))
      luaL_error(L, "%s: the second argument is a table of options, not a %s",
                 lua_tostring(L, lua_upvalueindex(1)), lb_penalty_what(L, 2));
    lua_pushvalue(L, 2);
    lua_setfield(L, 3, lua_tostring(L, lua_upvalueindex(3)));
  }
  lua_pushvalue(L, 1);
  lua_setfield(L, 3, lua_tostring(L, lua_upvalueindex(2)));
  lua_replace(L, 1);
}

/* A penalty of the kind named in upvalue 1. Upvalue 4, a function or nil, makes other spellings
 * of options the ones there are. */
static int construct(lua_State *L) {
  int type = lua_type(L, 1);
  lua_settop(L, 2);
  if (type == LUA_TNUMBER || type == LUA_TFUNCTION)
    gather(L);
  else if (type != LUA_TNIL && type != LUA_TNONE && type != LUA_TTABLE)
    return luaL_error(L, "%s: expects a number or a table of options, not a %s",
                      lua_tostring(L, lua_upvalueindex(1)), lb_penalty_what(L, 1));
  lua_settop(L, 1);
  if (lua_istable(L, 1) && lua_isfunction(L, lua_upvalueindex(4))) {
    lua_pushvalue(L, lua_upvalueindex(4));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  return make(L);
}

/* constructor(name, first, second or nil, options or nil) */
static int constructor(lua_State *L) {
  (void)find(L, luaL_checkstring(L, 1));
  (void)luaL_checkstring(L, 2);
  lua_settop(L, 4);
  lua_pushcclosure(L, construct, 4);
  return 1;
}

/* custom(spec): a penalty written in Lua; the table is kept as its self */
static int custom(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_getfield(L, 1, "name");
  lar_term *t = push_term(L, NULL, luaL_checkstring(L, 2));
  lb_penalty_written(t, lb_anchor(L, 3, 1), lua_getfield(L, 1, "prox") != LUA_TNIL);
  t->separable = lb_opt_flag(L, 1, "separable", false);
  read_lambda(L, 1, 3, t);
  read_mode(L, 1, t);
  if (lua_getfield(L, 1, "formula") != LUA_TNIL)
    lb_check(L, lar_strdup(&t->formula, luaL_checkstring(L, -1)));
  lua_settop(L, 3);
  return 1;
}

const luaL_Reg lb_penalty_making[] = {
  {"constructor", constructor}, {"custom", custom}, {NULL, NULL}};

void lb_open_penalty_make(lua_State *L) {
  static const luaL_Reg none[] = {{NULL, NULL}},
                        given_meta[] = {{"__gc", given_gc}, {NULL, NULL}};
  lb_class(L, "lariat.given", none, given_meta);
}
