#include "bind/lb_key.h"

#include <string.h>

#include "bind/lb_model.h"

enum { DEEPEST = 6, MOST = 256, SEEN = 48, TEXT = 64 };

typedef struct walk {
  lua_State *L;
  lar_key *k;
  int left, nseen;
  const void *seen[SEEN];
} walk;

static void value(walk *w, int depth);

static void put_tag(walk *w, char tag, const void *p, size_t n) {
  lar_key_put(w->k, &tag, 1);
  lar_key_put(w->k, p, n);
}

static void put_address(walk *w, const void *p) { put_tag(w, 'p', (const void *)&p, sizeof p); }

/* False when it was walked through before, or there is no room to tell. */
static bool first_sight(walk *w, const void *p) {
  for (int k = 0; k < w->nseen; k++)
    if (w->seen[k] == p) return false;
  if (w->nseen == SEEN) return false;
  w->seen[w->nseen++] = p;
  return true;
}

static void put_text(walk *w) {
  size_t n;
  const char *s = lua_tolstring(w->L, -1, &n);
  put_tag(w, 's', &n, sizeof n);
  lar_key_put(w->k, s, n < TEXT ? n : TEXT);
}

/* Numbers, strings and booleans; false for anything else. */
static bool scalar(walk *w) {
  lua_State *L = w->L;
  lua_Number x;
  lua_Integer i;
  char b;
  switch (lua_type(L, -1)) {
  case LUA_TNUMBER:
    if (lua_isinteger(L, -1))
      i = lua_tointeger(L, -1), put_tag(w, 'i', &i, sizeof i);
    else
      x = lua_tonumber(L, -1), put_tag(w, 'n', &x, sizeof x);
    return true;
  case LUA_TSTRING: put_text(w); return true;
  case LUA_TBOOLEAN: b = (char)lua_toboolean(L, -1), put_tag(w, 'b', &b, 1); return true;
  case LUA_TNIL: put_tag(w, '0', NULL, 0); return true;
  default: return false;
  }
}

/* Is the table on top the standard library's or lariat's? Those are not walked through. */
static bool loaded_as_library(lua_State *L) {
  bool yes = false;
  int at = lua_gettop(L);
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING || !lua_rawequal(L, -1, at)) continue;
    const char *name = lua_tostring(L, -2);
    yes = yes || strncmp(name, "lariat", 6) == 0 || strcmp(name, "_G") == 0 ||
          strcmp(name, "math") == 0 || strcmp(name, "string") == 0 ||
          strcmp(name, "table") == 0 || strcmp(name, "package") == 0;
  }
  lua_settop(L, at);
  return yes;
}

/* The same, looked up once for each table: the answers are kept by weak keys. */
static bool is_library(lua_State *L) {
  static const char key;
  int at = lua_gettop(L);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &key) != LUA_TTABLE) {
    lua_createtable(L, 0, 8);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &key);
    lua_replace(L, at + 1);
  }
  lua_pushvalue(L, at);
  if (lua_rawget(L, at + 1) == LUA_TNIL) {
    lua_settop(L, at);
    bool yes = loaded_as_library(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key);
    lua_pushvalue(L, at);
    lua_pushboolean(L, yes);
    lua_rawset(L, -3);
    lua_pushboolean(L, yes);
  }
  bool yes = lua_toboolean(L, -1);
  lua_settop(L, at);
  return yes;
}

/* Of globals, what is no table or function. */
static void globals(walk *w) {
  lua_State *L = w->L;
  if (!lua_istable(L, -1)) return;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    if (lua_type(L, -1) == LUA_TTABLE || lua_type(L, -1) == LUA_TFUNCTION) continue;
    (void)scalar(w);
  }
}

static void function(walk *w, int depth) {
  lua_State *L = w->L;
  const char *name;
  for (int k = 1; (name = lua_getupvalue(L, -1, k)) != NULL; k++) {
    if (name[0] == '_' && strcmp(name, "_ENV") == 0)
      globals(w);
    else
      value(w, depth + 1);
    lua_pop(L, 1);
  }
}

static void table(walk *w, int depth) {
  lua_State *L = w->L;
  if (is_library(L)) return;
  for (lua_pushnil(L); w->left > 0 && lua_next(L, -2); lua_pop(L, 1)) {
    lua_pushvalue(L, -2);
    if (!scalar(w)) put_address(w, lua_topointer(L, -1));
    lua_pop(L, 1);
    value(w, depth + 1);
  }
}

static void object(walk *w) {
  lua_State *L = w->L;
  lar_var *v = lb_tensor_test(L, -1);
  lar_module *m = v == NULL ? lb_module_test(L, -1) : NULL;
  put_address(w, v != NULL ? (void *)v : lua_topointer(L, -1));
  if (m == NULL) return;
  lar_key_module(w->k, m);
  lb_key_module(L, m, w->k);
}

/* The value on top. */
static void value(walk *w, int depth) {
  lua_State *L = w->L;
  if (w->left-- <= 0 || scalar(w)) return;
  const void *p = lua_topointer(L, -1);
  int type = lua_type(L, -1);
  if (type == LUA_TUSERDATA) {
    object(w);
    return;
  }
  put_address(w, p);
  if (depth >= DEEPEST || !lua_checkstack(L, 8) || !first_sight(w, p)) return;
  if (type == LUA_TFUNCTION && !lua_iscfunction(L, -1)) function(w, depth);
  if (type == LUA_TTABLE) table(w, depth);
}

void lb_key_value(lua_State *L, int index, lar_key *k) {
  walk w = {.L = L, .k = k, .left = MOST};
  lua_pushvalue(L, index);
  value(&w, 0);
  lua_pop(L, 1);
}

void lb_key_module(lua_State *L, lar_module *m, lar_key *k) {
  if (m->call != NULL && lua_checkstack(L, 8)) {
    lb_module_fields(L, m);
    lb_key_value(L, -1, k);
    lua_pop(L, 1);
  }
  for (int j = 0; j < m->nchild; j++) lb_key_module(L, m->child[j], k);
}
