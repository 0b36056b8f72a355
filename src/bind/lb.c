#include "bind/lb.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"

/* ---- errors and callbacks ---- */

static const char error_key, anchors_key; /* their addresses name registry fields */
static lua_State *current;

void lb_enter(lua_State *L) { current = L; }

lua_State *lb_current(void) { return current; }

lar_status lb_call(lua_State *L, int nargs, int nresults) {
  int st = lua_pcall(L, nargs, nresults, 0);
  current = L; /* the callee may have entered from a coroutine of its own */
  if (st == LUA_OK) return LAR_OK;
  const char *text = lua_tostring(L, -1);
  (void)lar_fail(LAR_ECALL, "%s", text != NULL ? text : "an error that is not a string");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &error_key);
  return LAR_ECALL;
}

void lb_forget_error(lua_State *L) {
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &error_key);
}

void lb_check(lua_State *L, lar_status st) {
  if (st == LAR_OK) return;
  if (st == LAR_ECALL && lua_rawgetp(L, LUA_REGISTRYINDEX, &error_key) != LUA_TNIL) {
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &error_key);
    lua_error(L);
  }
  luaL_error(L, "%s", lar_why());
}

void lb_push_weak(lua_State *L, const void *key) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

/* Push the userdata's list of what it keeps, made when there is none. */
static void push_kept(lua_State *L, int owner) {
  owner = lua_absindex(L, owner);
  if (lua_getiuservalue(L, owner, 1) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, owner, 1);
}

void *lb_anchor(lua_State *L, int owner, int value) {
  owner = lua_absindex(L, owner);
  value = lua_absindex(L, value);
  void *key = (void *)(uintptr_t)lua_topointer(L, value);
  push_kept(L, owner);
  lua_pushvalue(L, value);
  lua_rawsetp(L, -2, key);
  lb_push_weak(L, &anchors_key);
  lua_pushvalue(L, value);
  lua_rawsetp(L, -2, key);
  lua_pop(L, 2);
  return key;
}

void lb_anchor_all(lua_State *L, int owner, int from) {
  owner = lua_absindex(L, owner);
  from = lua_absindex(L, from);
  push_kept(L, owner);
  push_kept(L, from);
  for (lua_pushnil(L); lua_next(L, -2);) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -5);
  }
  lua_pop(L, 2);
}

void lb_push_anchored(lua_State *L, void *key) {
  lb_push_weak(L, &anchors_key);
  lua_rawgetp(L, -1, key);
  lua_remove(L, -2);
}

const char *lb_text(lua_State *L, int arg) {
  if (lua_type(L, arg) == LUA_TNUMBER) return luaL_tolstring(L, arg, NULL);
  if (lua_type(L, arg) == LUA_TSTRING) return lua_pushfstring(L, "'%s'", lua_tostring(L, arg));
  return lua_pushfstring(L, "a %s", luaL_typename(L, arg));
}

void *lb_new(lua_State *L, size_t size, const char *tname) {
  void *p = lua_newuserdatauv(L, size, 1);
  memset(p, 0, size);
  luaL_setmetatable(L, tname);
  return p;
}

void lb_class(lua_State *L, const char *tname, const luaL_Reg *methods, const luaL_Reg *meta) {
  luaL_newmetatable(L, tname);
  luaL_setfuncs(L, meta, 0);
  if (lua_getfield(L, -1, "__index") == LUA_TNIL) {
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -3, "__index");
  }
  lua_pop(L, 2);
}

/* ---- options ---- */

bool lb_is_options(lua_State *L, int arg) {
  if (!lua_istable(L, arg) || lua_rawlen(L, arg) > 0) return false;
  arg = lua_absindex(L, arg);
  lua_pushnil(L);
  if (lua_next(L, arg) == 0) return true; /* an empty table asks for nothing */
  bool text = lua_type(L, -2) == LUA_TSTRING;
  lua_pop(L, 2);
  return text;
}

void lb_known_keys(lua_State *L, int arg, const char *owner, const char *const *known) {
  if (lua_isnoneornil(L, arg)) return;
  luaL_checktype(L, arg, LUA_TTABLE);
  arg = lua_absindex(L, arg);
  size_t n = 0;
  while (known[n] != NULL) n++;
  for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      luaL_error(L, "%s: options are named; found the key %s", owner, lb_text(L, -2));
    const char *key = lua_tostring(L, -2);
    size_t k = 0;
    while (k < n && strcmp(known[k], key) != 0) k++;
    if (k == n) lb_check(L, lar_param_unknown(owner, key, known, n));
  }
}

double lb_opt_number(lua_State *L, int arg, const char *key, double def) {
  if (lua_isnoneornil(L, arg)) return def;
  int type = lua_getfield(L, arg, key);
  if (type != LUA_TNIL && type != LUA_TNUMBER)
    luaL_error(L, "'%s' must be a number, not a %s", key, lua_typename(L, type));
  double v = type == LUA_TNIL ? def : lua_tonumber(L, -1);
  lua_pop(L, 1);
  return v;
}

bool lb_opt_flag(lua_State *L, int arg, const char *key, bool def) {
  if (lua_isnoneornil(L, arg)) return def;
  int type = lua_getfield(L, arg, key);
  bool v = type == LUA_TNIL ? def : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return v;
}

lar_dtype lb_dtype(lua_State *L, int arg) {
  const char *name = luaL_checkstring(L, arg);
  lar_dtype t = lar_dtype_find(name);
  if (t == LAR_NDTYPE)
    luaL_error(L, "unknown dtype '%s'; there are float32, float64, int64 and bool", name);
  return t;
}

lar_dtype lb_opt_dtype(lua_State *L, int arg, lar_dtype def) {
  if (lua_isnoneornil(L, arg)) return def;
  if (lua_getfield(L, arg, "dtype") != LUA_TNIL) def = lb_dtype(L, -1);
  lua_pop(L, 1);
  return def;
}

void lb_param(lua_State *L, int arg, const char *owner, const lar_param *schema, void *self,
              const char *name) {
  switch (lua_type(L, arg)) {
  case LUA_TNUMBER:
    lb_check(L, lar_param_set(schema, self, owner, name, lua_tonumber(L, arg)));
    break;
  case LUA_TBOOLEAN:
    lb_check(L, lar_param_set(schema, self, owner, name, lua_toboolean(L, arg)));
    break;
  case LUA_TSTRING:
    lb_check(L, lar_param_set_text(schema, self, owner, name, lua_tostring(L, arg)));
    break;
  default:
    luaL_error(L, "%s: %s must be a number, not a %s", owner, name, luaL_typename(L, arg));
  }
}

/* {a, b} for a parameter that has a second beside it: `name` and `name2`. Each must be what
 * the first may be. */
static bool param_pair(lua_State *L, const char *owner, const lar_param *schema, void *self,
                       const char *name) {
  char second[32];
  (void)snprintf(second, sizeof second, "%s2", name);
  if (!lua_istable(L, -1) || lar_param_find(schema, second) == NULL) return false;
  lua_rawgeti(L, -1, 2);
  lua_rawgeti(L, -2, 1);
  if (lua_rawlen(L, -3) != 2 || !lua_isnumber(L, -1) || !lua_isnumber(L, -2))
    luaL_error(L, "%s: %s is a number or a list of two", owner, name);
  lb_check(L, lar_param_set(schema, self, owner, name, lua_tonumber(L, -2)));
  lb_check(L, lar_param_set(schema, self, owner, second, lua_tonumber(L, -2)));
  lb_check(L, lar_param_set(schema, self, owner, name, lua_tonumber(L, -1)));
  lua_pop(L, 2);
  return true;
}

static bool listed(const char *key, const char *const *names) {
  for (; names != NULL && *names != NULL; names++)
    if (strcmp(*names, key) == 0) return true;
  return false;
}

static void unknown_param(lua_State *L, const char *owner, const char *key,
                          const lar_param *schema, const char *const *others) {
  const char *known[48];
  size_t n = 0;
  for (; schema != NULL && schema->name != NULL && n < 48; schema++) known[n++] = schema->name;
  for (; others != NULL && *others != NULL && n < 48; others++) known[n++] = *others;
  lb_check(L, lar_param_unknown(owner, key, known, n));
}

void lb_params(lua_State *L, int arg, const char *owner, const lar_param *schema, void *self,
               const char *const *others) {
  if (lua_isnoneornil(L, arg)) return;
  luaL_checktype(L, arg, LUA_TTABLE);
  arg = lua_absindex(L, arg);
  for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING) continue; /* list items belong to the caller */
    const char *key = lua_tostring(L, -2);
    if (listed(key, others)) continue;
    if (lar_param_find(schema, key) == NULL) unknown_param(L, owner, key, schema, others);
    if (!param_pair(L, owner, schema, self, key)) lb_param(L, -1, owner, schema, self, key);
  }
}

int lb_shape(lua_State *L, int arg, int64_t *shape, int *last) {
  int n = 0;
  if (lua_istable(L, arg)) {
    n = (int)lua_rawlen(L, arg);
    if (n > LAR_MAX_NDIM) luaL_error(L, "a shape has at most %d sizes", LAR_MAX_NDIM);
    for (int k = 0; k < n; k++) {
      lua_rawgeti(L, arg, k + 1);
      if (!lua_isinteger(L, -1) &&
          !(lua_isnumber(L, -1) && lua_tonumber(L, -1) == (double)(int64_t)lua_tonumber(L, -1)))
        luaL_error(L, "a shape holds integers; found %s", lb_text(L, -1));
      shape[k] = (int64_t)lua_tonumber(L, -1);
      lua_pop(L, 1);
    }
    *last = arg + 1;
    return n;
  }
  while (lua_type(L, arg) == LUA_TNUMBER) {
    if (n == LAR_MAX_NDIM) luaL_error(L, "a shape has at most %d sizes", LAR_MAX_NDIM);
    shape[n++] = luaL_checkinteger(L, arg++);
  }
  *last = arg;
  return n;
}

/* ---- memory that Lua does not see ---- */

/* How much garbage may lie about: memory used again is still in the caches, but a collection
 * goes through the whole of Lua's heap. */
static size_t allowance(lua_State *L, size_t live) {
  enum { LEAST = 16 << 20, MOST = 64 << 20, WORTH = 64 << 10 };
  size_t heap = WORTH * (size_t)lua_gc(L, LUA_GCCOUNT), most = live > MOST ? live : MOST;
  return heap < LEAST ? LEAST : heap < most ? heap : most;
}

/* Up to Lua 5.4.5 a whole collection of the generational kind leaves what it freed as credit:
 * the next small collection waits until as much has been allocated again, and by then there is
 * pressure once more, so that small tensors would go through megabytes instead of the caches.
 * A step settles the account. */
static void collect(lua_State *L) {
  lua_gc(L, LUA_GCCOLLECT);
  lua_gc(L, LUA_GCSTEP, 0);
}

void lb_pressure(lua_State *L) {
  static size_t limit, former; /* former: what was live when the limit was set */
  size_t live = lar_mem_bytes();
  if (live < limit && live >= former / 2) return;
  if (live >= limit && limit > 0) collect(L);
  former = lar_mem_bytes();
  limit = former + allowance(L, former);
}
