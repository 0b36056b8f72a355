/* Penalties as Lua objects: the class, its algebra, its texts. */
#include <string.h>

#include "bind/lb_forward.h"
#include "bind/lb_model.h"
#include "bind/lb_penalty.h"
#include "core/mem.h"

lar_reg **lb_penalty_new(lua_State *L) { return lb_new(L, sizeof(lar_reg *), LB_PENALTY); }

lar_reg *lb_penalty(lua_State *L, int arg) {
  lar_reg **p = luaL_checkudata(L, arg, LB_PENALTY);
  if (*p == NULL) luaL_error(L, "this penalty has been closed");
  return *p;
}

const char *lb_penalty_what(lua_State *L, int arg) {
  if (luaL_getmetafield(L, arg, "__name") != LUA_TSTRING) return luaL_typename(L, arg);
  const char *name = lua_tostring(L, -1), *dot = strrchr(name, '.'); /* of the metatable */
  lua_pop(L, 1);
  return dot != NULL ? dot + 1 : name;
}

lar_reg *lb_reg(lua_State *L, int arg) {
  if (lua_isnoneornil(L, arg)) return NULL;
  if (luaL_testudata(L, arg, LB_PENALTY) == NULL)
    luaL_error(L, "penalty: expects a penalty, such as lariat.penalty.l1(0.1), not a %s",
               lb_penalty_what(L, arg));
  return lb_penalty(L, arg);
}

static int penalty_gc(lua_State *L) {
  lar_reg **p = luaL_checkudata(L, 1, LB_PENALTY);
  lar_reg_unref(*p);
  *p = NULL;
  return 0;
}

/* ---- algebra ---- */

static int penalty_mul(lua_State *L) {
  int at = luaL_testudata(L, 1, LB_PENALTY) != NULL ? 1 : 2;
  if (lua_type(L, 3 - at) != LUA_TNUMBER)
    return luaL_error(L, "a penalty is multiplied by a number, not by a %s",
                      lb_penalty_what(L, 3 - at));
  lar_reg *r = lb_penalty(L, at);
  lb_check(L, lar_reg_scale(lb_penalty_new(L), r, lua_tonumber(L, 3 - at)));
  lb_anchor_all(L, -1, at);
  return 1;
}

static int penalty_div(lua_State *L) {
  if (luaL_testudata(L, 1, LB_PENALTY) == NULL)
    return luaL_error(L, "a %s is not divided by a penalty", lb_penalty_what(L, 1));
  if (lua_type(L, 2) != LUA_TNUMBER)
    return luaL_error(L, "a penalty is divided by a number, not by a %s",
                      lb_penalty_what(L, 2));
  lar_reg *r = lb_penalty(L, 1);
  lb_check(L, lar_reg_scale(lb_penalty_new(L), r, 1 / lua_tonumber(L, 2)));
  lb_anchor_all(L, -1, 1);
  return 1;
}

static int penalty_sub(lua_State *L) {
  return luaL_error(L, "penalties are added and multiplied by numbers that are not negative; "
                       "there is no difference of them");
}

static int penalty_newindex(lua_State *L) {
  return luaL_error(L, "a penalty does not change: make another, as in 2 * pen or "
                       "lariat.penalty.l1(0.2), and give it to the optimiser");
}

static int penalty_add(lua_State *L) {
  for (int k = 1; k <= 2; k++)
    if (luaL_testudata(L, k, LB_PENALTY) == NULL)
      return luaL_error(L, "a penalty is added to a penalty, not to a %s",
                        lb_penalty_what(L, k));
  lar_reg *a = lb_penalty(L, 1), *b = lb_penalty(L, 2);
  lb_check(L, lar_reg_add(lb_penalty_new(L), a, b));
  lb_anchor_all(L, -1, 1);
  lb_anchor_all(L, -1, 2);
  return 1;
}

/* Push a lar_on that lives in a userdata until the penalty has it. */
static int on_gc(lua_State *L) {
  lar_on **p = lua_touserdata(L, 1);
  lar_on_unref(*p);
  *p = NULL;
  return 0;
}

/* The strings at `first`.. or in one list there, as an array that the pushed block owns. */
static int read_names(lua_State *L, int first, const char ***names) {
  int top = lua_gettop(L),
      n = lua_istable(L, first) ? (int)lua_rawlen(L, first) : top - first + 1;
  if (n < 1) luaL_error(L, "on: say where: a name or glob, a list of them, a kind, a function");
  *names = lua_newuserdatauv(L, (size_t)n * sizeof **names, 0);
  for (int k = 0; k < n; k++) {
    if (lua_istable(L, first))
      lua_rawgeti(L, first, k + 1);
    else
      lua_pushvalue(L, first + k);
    if (lua_type(L, -1) != LUA_TSTRING)
      luaL_error(L, "on: names and kinds are strings; found a %s", luaL_typename(L, -1));
    (*names)[k] = lua_tostring(L, -1); /* kept alive by the list or the stack */
    lua_pop(L, 1);
  }
  return n;
}

/* reg:on(name or glob or kind, ...), :on{...}, :on(function(name, tensor)) */
static int penalty_on(lua_State *L) {
  lar_reg *r = lb_penalty(L, 1);
  const char **names = NULL;
  int n = 0;
  bool fn = lua_isfunction(L, 2);
  if (!fn) n = read_names(L, 2, &names);
  lar_on **on = lb_new(L, sizeof *on, "lariat.on");
  lb_check(L, lar_on_new(on, n, names));
  lb_check(L, lar_reg_on(lb_penalty_new(L), r, *on));
  lb_anchor_all(L, -1, 1);
  if (fn) {
    (*on)->ctx = lb_anchor(L, -1, 2);
    (*on)->match = lb_penalty_match;
  }
  return 1;
}

/* ---- reading ---- */

static int penalty_tostring(lua_State *L) {
  lar_reg *r = lb_penalty(L, 1);
  char **text = lb_new(L, sizeof *text, "lariat.text");
  lb_check(L, lar_reg_text(r, text));
  return lua_pushstring(L, *text), 1;
}

static int text_gc(lua_State *L) {
  char **text = lua_touserdata(L, 1);
  lar_free(*text);
  *text = NULL;
  return 0;
}

static void push_text(lua_State *L, const char *key, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, key);
}

/* Methods (upvalue 1), then the parameters of a single term. */
static int penalty_index(lua_State *L) {
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  lar_reg *r = lb_penalty(L, 1);
  const char *key = luaL_checkstring(L, 2);
  const lar_term *t = r->at[0].term;
  const lar_param *p = t->type != NULL ? lar_param_find(t->type->params, key) : NULL;
  if (r->n == 1 && p != NULL) return lb_penalty_push_param(L, p, t->self), 1;
  if (r->n == 1 && strcmp(key, "name") == 0) return lua_pushstring(L, t->name), 1;
  if (r->n == 1 && t->ctx != NULL) {
    lb_push_anchored(L, t->ctx);
    if (lua_istable(L, -1) && lua_getfield(L, -1, key) != LUA_TNIL) return 1;
  }
  return luaL_error(L, "a penalty has no '%s'", key);
}

/* pen(...): the function `call` of the table in upvalue 1, which lariat.penalty sets. */
static int penalty_call(lua_State *L) {
  if (lua_getfield(L, lua_upvalueindex(1), "call") != LUA_TFUNCTION)
    return luaL_error(L, "a penalty is not a function");
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

static void push_traits(lua_State *L, unsigned traits) {
  static const struct {
    const char *name;
    unsigned bit;
  } names[] = {{"convex", LAR_CONVEX},   {"separable", LAR_SEPARABLE},
               {"smooth", LAR_SMOOTH},   {"constraint", LAR_CONSTRAINT},
               {"grouped", LAR_GROUPED}, {"radial", LAR_RADIAL},
               {"knee", LAR_KNEE},       {"euclidean", LAR_EUCLIDEAN},
               {"forward", LAR_FORWARD}, {"towards", LAR_TOWARDS},
               {"fisher", LAR_FISHER}};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    lua_pushboolean(L, (traits & names[k].bit) != 0);
    lua_setfield(L, -2, names[k].name);
  }
}

/* Push a list of {name, default, lo, hi, doc} from a schema. */
static void push_schema(lua_State *L, const lar_param *p) {
  lua_newtable(L);
  for (int k = 1; p != NULL && p->name != NULL; p++, k++) {
    lua_createtable(L, 0, 5);
    push_text(L, "name", p->name);
    push_text(L, "doc", p->doc);
    lua_pushnumber(L, p->init), lua_setfield(L, -2, "default");
    lua_pushnumber(L, p->lo), lua_setfield(L, -2, "lo");
    lua_pushnumber(L, p->hi), lua_setfield(L, -2, "hi");
    lua_rawseti(L, -2, k);
  }
}

/* entries() -> a list of {name, doc, source, formula, params, <traits>} */
static int entries(lua_State *L) {
  lua_newtable(L);
  for (int k = 0; lar_penalties[k] != NULL; k++) {
    const lar_penalty *p = lar_penalties[k];
    lua_createtable(L, 0, 12);
    push_text(L, "name", p->name);
    push_text(L, "doc", p->doc);
    push_text(L, "source", p->source);
    push_text(L, "formula", p->formula);
    push_traits(L, p->traits);
    lua_pushboolean(L, lar_penalty_has_prox(p)), lua_setfield(L, -2, "has_prox");
    push_schema(L, p->params);
    lua_setfield(L, -2, "params");
    lua_rawseti(L, -2, k + 1);
  }
  return 1;
}

static int is_penalty(lua_State *L) {
  return lua_pushboolean(L, luaL_testudata(L, 1, LB_PENALTY) != NULL), 1;
}

static const luaL_Reg methods[] = {
  {"on", penalty_on},
  {"forward", lb_penalty_forward},
  {"describe", lb_penalty_describe},
  {"close", penalty_gc},
  {NULL, NULL},
};

static const luaL_Reg meta[] = {
  {"__gc", penalty_gc},   {"__close", penalty_gc}, {"__mul", penalty_mul},
  {"__div", penalty_div}, {"__add", penalty_add},  {"__tostring", penalty_tostring},
  {"__sub", penalty_sub}, {"__unm", penalty_sub},  {"__newindex", penalty_newindex},
  {NULL, NULL},
};

static const luaL_Reg lib[] = {
  {"entries", entries},
  {"adapt", lb_penalty_adapt},
  {"is", is_penalty},
  {NULL, NULL},
};

static const luaL_Reg on_meta[] = {{"__gc", on_gc}, {NULL, NULL}};
static const luaL_Reg text_meta[] = {{"__gc", text_gc}, {NULL, NULL}};
static const luaL_Reg none[] = {{NULL, NULL}};

void lb_open_penalty(lua_State *L) {
  lb_open_params(L);
  lb_open_penalty_make(L);
  lb_open_penalty_value(L);
  lb_class(L, "lariat.on", none, on_meta);
  lb_class(L, "lariat.text", none, text_meta);
  luaL_newmetatable(L, LB_PENALTY);
  luaL_setfuncs(L, meta, 0);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  luaL_setfuncs(L, lb_penalty_values, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, "penalty_methods"); /* lariat.penalty adds to them */
  lua_pushcclosure(L, penalty_index, 1);
  lua_setfield(L, -2, "__index");
  luaL_newlib(L, lib);
  luaL_setfuncs(L, lb_penalty_making, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, "penalty");
  lua_pushcclosure(L, penalty_call, 1);
  lua_setfield(L, -2, "__call");
  lua_pop(L, 1);
}
