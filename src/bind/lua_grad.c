/* Derivatives: backward, grad, no_grad. */
#include "bind/lb.h"
#include "grad/grad.h"

/* f:backward([gradient], {create_graph = false}) */
static int backward(lua_State *L) {
  static const char *const known[] = {"create_graph", "retain_graph", "gradient", NULL};
  lua_settop(L, 3);
  lar_var *f = lb_tensor(L, 1), *seed = lb_tensor_test(L, 2);
  int options = seed != NULL || lua_isnil(L, 2) ? 3 : 2;
  lb_known_keys(L, options, "backward", known);
  if (lua_istable(L, options) && lua_getfield(L, options, "gradient") != LUA_TNIL)
    seed = lb_tensor(L, -1);
  lb_check(L, lar_backward(f, seed, lb_opt_flag(L, options, "create_graph", false)));
  return 0;
}

/* grad(f, {x, ...}, {create_graph = false, gradient = nil}) -> {df/dx, ...} */
static int grad(lua_State *L) {
  static const char *const known[] = {"create_graph", "gradient", NULL};
  enum { MAX = 1000 };
  lua_settop(L, 3);
  lar_var *f = lb_tensor(L, 1), *seed = NULL;
  luaL_argexpected(L, lua_istable(L, 2), 2, "list of tensors");
  lb_known_keys(L, 3, "grad", known);
  int n = (int)lua_rawlen(L, 2);
  if (n < 1 || n > MAX)
    return luaL_error(L, "grad: %d tensors asked for; 1 to %d will do", n, MAX);
  if (lua_istable(L, 3) && lua_getfield(L, 3, "gradient") != LUA_TNIL) seed = lb_tensor(L, -1);
  lar_var **x = lua_newuserdatauv(L, (size_t)n * 2 * sizeof *x, 0), **out = x + n;
  lua_createtable(L, n, 0);
  int results = lua_gettop(L);
  luaL_checkstack(L, n + 8, NULL);
  for (int k = 0; k < n; k++) {
    lua_rawgeti(L, 2, k + 1);
    x[k] = lb_tensor_test(L, -1);
    if (x[k] == NULL)
      return luaL_error(L, "grad: item %d of the list is a %s, not a tensor", k + 1,
                        luaL_typename(L, -1));
    if (!lar_dtype_is_float(x[k]->t.dtype))
      return luaL_error(L, "grad: item %d of the list is %s and has no derivative", k + 1,
                        lar_dtype_name(x[k]->t.dtype));
    lua_pop(L, 1);
  }
  for (int k = 0; k < n; k++) {
    (void)lb_tensor_new(L);
    lua_pushvalue(L, -1);
    lua_rawseti(L, results, k + 1);
  }
  lb_check(L, lar_grad(f, seed, n, x, lb_opt_flag(L, 3, "create_graph", false), out));
  for (int k = 0; k < n; k++) *(lar_var **)lua_touserdata(L, results + 1 + k) = out[k];
  lua_settop(L, results);
  return 1;
}

/* Call fn(...) with recording set; the setting comes back whatever happens, and an error
 * leaves as it came. */
static int with_mode(lua_State *L, bool on) {
  luaL_checkany(L, 1);
  bool former = lar_grad_mode(on);
  int st = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  lar_grad_mode(former);
  return st == LUA_OK ? lua_gettop(L) : lua_error(L);
}

static int no_grad(lua_State *L) { return with_mode(L, false); }
static int enable_grad(lua_State *L) { return with_mode(L, true); }
static int grad_enabled(lua_State *L) { return lua_pushboolean(L, lar_grad_enabled()), 1; }

static const luaL_Reg lib[] = {
  {"grad", grad},
  {"no_grad", no_grad},
  {"enable_grad", enable_grad},
  {"is_grad_enabled", grad_enabled},
  {NULL, NULL},
};

void lb_open_grad(lua_State *L) {
  luaL_setfuncs(L, lib, 0);
  lua_getfield(L, -1, "tensor_methods");
  lua_pushcfunction(L, backward);
  lua_setfield(L, -2, "backward");
  lua_pop(L, 1);
}
