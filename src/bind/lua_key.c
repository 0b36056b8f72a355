#include "bind/lb_key.h"

#include <string.h>

#include "bind/lb_model.h"

enum { DEEPEST = 64, MOST = 4096, SEEN = 512, TEXT = 64 };

typedef struct walk {
  lua_State *L;
  lar_key *k;
  lb_counters *counters; /* or NULL */
  uint64_t place;        /* of the value at hand; 0 where it has none of its own */
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
  if (w->nseen == SEEN) {
    w->k->partial = true;
    return false;
  }
  w->seen[w->nseen++] = p;
  return true;
}

/* Of a long string its length, its beginning and a hash. */
static void put_text(walk *w) {
  size_t n;
  const char *s = lua_tolstring(w->L, -1, &n);
  uint64_t hash = 14695981039346656037u;
  put_tag(w, 's', &n, sizeof n);
  lar_key_put(w->k, s, n < TEXT ? n : TEXT);
  if (n <= TEXT) return;
  for (size_t k = TEXT; k < n; k++) hash = (hash ^ (unsigned char)s[k]) * 1099511628211u;
  lar_key_put(w->k, &hash, sizeof hash);
}

/* ---- numbers that a function changes itself ---- */

static uint64_t place_in(lua_State *L, const void *table, int key) {
  lua_Number x = 0;
  uint64_t bits;
  if (lua_type(L, key) == LUA_TNUMBER) {
    x = lua_tonumber(L, key);
    memcpy(&bits, &x, sizeof bits);
  } else {
    bits = (uintptr_t)lua_topointer(L, key);
  }
  return (uintptr_t)table * 0x9e3779b97f4a7c15u ^ bits * 0xc2b2ae3d27d4eb4fu;
}

static bool among(int n, const uint64_t *at, uint64_t place) {
  for (int k = 0; k < n; k++)
    if (at[k] == place) return true;
  return false;
}

/* Is the number at this place one of them? */
static bool counts(walk *w, lua_Number x) {
  lb_counters *c = w->counters;
  if (c == NULL || w->place == 0) return false;
  if (among(c->n, c->place, w->place)) return true;
  if (c->phase == LB_BEFORE && c->nseen < LB_NUMBERS) {
    c->seen[c->nseen] = w->place;
    c->was[c->nseen++] = x;
  }
  for (int k = 0; c->phase == LB_AFTER && k < c->nseen; k++)
    if (c->seen[k] == w->place && c->was[k] != x && c->n < LB_COUNTERS)
      c->place[c->n++] = w->place;
  return false;
}

/* ---- values ---- */

static void number(walk *w) {
  lua_State *L = w->L;
  lua_Number x = lua_tonumber(L, -1);
  lua_Integer i;
  if (counts(w, x))
    put_tag(w, 'c', NULL, 0);
  else if (lua_isinteger(L, -1))
    i = lua_tointeger(L, -1), put_tag(w, 'i', &i, sizeof i);
  else
    put_tag(w, 'n', &x, sizeof x);
}

/* Numbers, strings and booleans; false for anything else. */
static bool scalar(walk *w) {
  char b;
  switch (lua_type(w->L, -1)) {
  case LUA_TNUMBER: number(w); return true;
  case LUA_TSTRING: put_text(w); return true;
  case LUA_TBOOLEAN: b = (char)lua_toboolean(w->L, -1), put_tag(w, 'b', &b, 1); return true;
  case LUA_TNIL: put_tag(w, '0', NULL, 0); return true;
  default: return false;
  }
}

/* Is the table on top the standard library's or lariat's? Those are not walked through. */
static bool loaded_as_library(lua_State *L) {
  static const char *const standard[] = {"_G", "coroutine", "debug",  "io",    "math",
                                         "os", "package",   "string", "table", "utf8"};
  bool yes = false;
  int at = lua_gettop(L);
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING || !lua_rawequal(L, -1, at)) continue;
    const char *name = lua_tostring(L, -2);
    yes = yes || strncmp(name, "lariat", 6) == 0;
    for (size_t k = 0; k < sizeof standard / sizeof *standard; k++)
      yes = yes || strcmp(name, standard[k]) == 0;
  }
  lua_settop(L, at);
  return yes;
}

void lb_weak_table(lua_State *L, const void *key) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_createtable(L, 0, 8);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

/* The same, looked up once for each table. */
static bool is_library(lua_State *L) {
  static const char key;
  int at = lua_gettop(L);
  lb_weak_table(L, &key);
  lua_pushvalue(L, at);
  if (lua_rawget(L, at + 1) == LUA_TNIL) {
    lua_pushvalue(L, at);
    bool yes = loaded_as_library(L);
    lua_pushboolean(L, yes);
    lua_rawset(L, at + 1);
    lua_pushboolean(L, yes);
  }
  bool yes = lua_toboolean(L, -1);
  lua_settop(L, at);
  return yes;
}

/* The globals that the function below the environment on top names. */
static void globals(walk *w, int depth) {
  lua_State *L = w->L;
  int env = lua_gettop(L);
  if (!lua_istable(L, env)) return;
  lb_global_names(L, env - 1);
  lua_Integer n = luaL_len(L, -1);
  for (lua_Integer k = 1; k <= n; k++) {
    lua_rawgeti(L, env + 1, k);
    w->place = place_in(L, lua_topointer(L, env), -1);
    lb_global(L, env);
    value(w, depth + 1);
    lua_pop(L, 1);
  }
  lua_settop(L, env);
}

static void function(walk *w, int depth) {
  lua_State *L = w->L;
  const char *name;
  for (int k = 1; (name = lua_getupvalue(L, -1, k)) != NULL; k++) {
    if (name[0] == '_' && strcmp(name, "_ENV") == 0) {
      globals(w, depth);
    } else {
      w->place = (uintptr_t)lua_upvalueid(L, -2, k);
      value(w, depth + 1);
    }
    lua_pop(L, 1);
  }
}

/* What the table holds, and its metatable, where methods and defaults are. */
static void table(walk *w, int depth) {
  lua_State *L = w->L;
  if (is_library(L)) return;
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    if (w->left <= 0) {
      w->k->partial = true;
      lua_pop(L, 2);
      return;
    }
    lua_pushvalue(L, -2);
    w->place = 0;
    if (!scalar(w)) put_address(w, lua_topointer(L, -1));
    lua_pop(L, 1);
    w->place = place_in(L, lua_topointer(L, -3), -2);
    value(w, depth + 1);
  }
  if (!lua_getmetatable(L, -1)) return;
  value(w, depth + 1);
  lua_pop(L, 1);
}

/* The Lua side of a module and of its children: they may hold the module itself. */
static void module(walk *w, lar_module *m, int depth) {
  lua_State *L = w->L;
  if (!first_sight(w, m)) return;
  if (m->call != NULL && lua_checkstack(L, 8)) {
    lb_module_fields(L, m);
    value(w, depth + 1);
    lua_pop(L, 1);
  }
  for (int j = 0; j < m->nchild; j++) module(w, m->child[j], depth);
}

static void object(walk *w, int depth) {
  lua_State *L = w->L;
  lar_var *v = lb_tensor_test(L, -1);
  lar_module *m = v == NULL ? lb_module_test(L, -1) : NULL;
  put_address(w, v != NULL ? (void *)v : lua_topointer(L, -1));
  if (m == NULL) return;
  lar_key_module(w->k, m);
  module(w, m, depth);
}

/* The value on top. */
static void value(walk *w, int depth) {
  lua_State *L = w->L;
  if (w->left-- <= 0 || depth > DEEPEST || !lua_checkstack(L, 8)) w->k->partial = true;
  if (w->k->partial || scalar(w)) return;
  const void *p = lua_topointer(L, -1);
  int type = lua_type(L, -1);
  if (type == LUA_TUSERDATA) {
    object(w, depth);
    return;
  }
  put_address(w, p);
  if (type == LUA_TFUNCTION && !lua_iscfunction(L, -1) && first_sight(w, p)) function(w, depth);
  if (type == LUA_TTABLE && first_sight(w, p)) table(w, depth);
}

/* `seen` is left as it is. */
static void begin(walk *w, lua_State *L, lar_key *k, lb_counters *c) {
  w->L = L;
  w->k = k;
  w->counters = c;
  w->place = 0;
  w->left = MOST;
  w->nseen = 0;
}

void lb_key_function(lua_State *L, int index, lar_key *k, lb_counters *c) {
  walk w;
  begin(&w, L, k, c);
  lua_pushvalue(L, index);
  value(&w, 0);
  lua_pop(L, 1);
}

void lb_key_value(lua_State *L, int index, lar_key *k) { lb_key_function(L, index, k, NULL); }

void lb_key_module(lua_State *L, lar_module *m, lar_key *k) {
  walk w;
  begin(&w, L, k, NULL);
  module(&w, m, 0);
}
