/* Parameters as the core wants them, from whatever holds some: models, tensors, tables. */
#include <string.h>

#include "bind/lb_model.h"
#include "bind/lb_optim.h"
#include "bind/lb_penalty.h"

#define LB_PARAMS "lariat.params"

static int params_gc(lua_State *L) {
  lar_params_clear(luaL_checkudata(L, 1, LB_PARAMS));
  return 0;
}

static lar_pkind kind_of(const char *name) {
  const char *dot = strrchr(name, '.');
  lar_pkind k = lar_pkind_find(dot != NULL ? dot + 1 : name);
  return k == LAR_NPKIND ? LAR_WEIGHT : k;
}

static void add_tensors(lua_State *L, int arg, lar_params *p) {
  for (int k = 1; k <= (int)lua_rawlen(L, arg); k++) {
    lua_rawgeti(L, arg, k);
    lar_var *v = lb_tensor_test(L, -1);
    if (v == NULL)
      luaL_error(L, "item %d of the list is a %s, not a tensor", k, luaL_typename(L, -1));
    lb_check(L, lar_params_add(p, lua_pushfstring(L, "%d", k), v, LAR_WEIGHT));
    lua_pop(L, 2);
  }
}

/* Names of a table have no order of their own: they are sorted. */
static void add_named(lua_State *L, int arg, lar_params *p) {
  lua_newtable(L);
  int names = lua_gettop(L), n = 0;
  for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1))
    if (lua_type(L, -2) == LUA_TSTRING) {
      lua_pushvalue(L, -2);
      lua_rawseti(L, names, ++n);
    }
  lua_getglobal(L, "table");
  lua_getfield(L, -1, "sort");
  lua_pushvalue(L, names);
  lua_call(L, 1, 0);
  for (int k = 1; k <= n; k++) {
    lua_rawgeti(L, names, k);
    lua_pushvalue(L, -1);
    lua_gettable(L, arg);
    lar_var *v = lb_tensor_test(L, -1);
    const char *name = lua_tostring(L, -2);
    if (v == NULL) luaL_error(L, "'%s' is a %s, not a tensor", name, luaL_typename(L, -1));
    lb_check(L, lar_params_add(p, name, v, kind_of(name)));
    lua_pop(L, 2);
  }
}

const lar_params *lb_params_of(lua_State *L, int arg) {
  arg = lua_absindex(L, arg);
  lar_params *p = lb_new(L, sizeof *p, LB_PARAMS);
  int top = lua_gettop(L);
  lar_module *m = lb_module_test(L, arg);
  lar_var *v = m == NULL ? lb_tensor_test(L, arg) : NULL;
  if (m != NULL)
    lb_check(L, lar_module_params(m, p));
  else if (v != NULL)
    lb_check(L, lar_params_add(p, "tensor", v, LAR_WEIGHT));
  else if (lua_istable(L, arg)) {
    add_tensors(L, arg, p);
    add_named(L, arg, p);
  } else
    luaL_typeerror(L, arg, "model, tensor or list of tensors");
  lua_settop(L, top);
  return p;
}

void lb_open_params(lua_State *L) {
  static const luaL_Reg none[] = {{NULL, NULL}},
                        params_meta[] = {{"__gc", params_gc}, {NULL, NULL}};
  lb_class(L, LB_PARAMS, none, params_meta);
}
