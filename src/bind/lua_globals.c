/* Which globals a Lua function may read: those that its code names. */
#include <string.h>

#include "bind/lb_key.h"

typedef struct code {
  luaL_Buffer bytes;
  bool begun; /* by the first piece: until then the function is to be on top */
} code;

static int put_piece(lua_State *L, const void *p, size_t n, void *to) {
  code *c = to;
  if (!c->begun) luaL_buffinit(L, &c->bytes);
  c->begun = true;
  luaL_addlstring(&c->bytes, p, n);
  return 0;
}

static bool in_name(unsigned char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Add the n bytes to the list on top, once. */
static void add_name(lua_State *L, const char *s, size_t n) {
  lua_pushlstring(L, s, n);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) == LUA_TNIL) {
    lua_pushvalue(L, -2);
    lua_rawseti(L, -4, (lua_Integer)lua_rawlen(L, -4) + 1);
    lua_pushvalue(L, -2);
    lua_pushboolean(L, true);
    lua_rawset(L, -5);
  }
  lua_pop(L, 2);
}

/* Code in binary holds its names as they are, each after its length and 1, with the highest bit
 * set. What looks like one by chance does no harm. */
static void read_names(lua_State *L, const char *s, size_t n) {
  enum { MARK = 0x80, LONGEST = 126 };
  for (size_t from = 1, to; from < n; from = to + 1) {
    for (to = from; to < n && in_name((unsigned char)s[to]); to++) continue;
    size_t size = to - from;
    if (size > LONGEST || (size > 0 && (unsigned char)s[from - 1] == ((size + 1) | MARK)))
      add_name(L, s + from, size);
  }
}

/* Push the list for the function on top. */
static void make_names(lua_State *L) {
  code c;
  size_t n;
  c.begun = false;
  lua_dump(L, put_piece, &c, true);
  luaL_pushresult(&c.bytes);
  const char *s = lua_tolstring(L, -1, &n);
  lua_newtable(L);
  read_names(L, s, n);
  lua_remove(L, -2);
}

void lb_global_names(lua_State *L, int index) {
  static const char key;
  lb_weak_table(L, &key);
  lua_pushvalue(L, index);
  if (lua_rawget(L, -2) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_pushvalue(L, index);
    make_names(L);
    lua_pushvalue(L, index);
    lua_pushvalue(L, -2);
    lua_rawset(L, -5);
    lua_remove(L, -2);
  }
  lua_remove(L, -2);
}

static int get(lua_State *L) {
  lua_gettable(L, 1);
  return 1;
}

void lb_global(lua_State *L, int env) {
  lua_pushvalue(L, -1);
  if (lua_rawget(L, env) == LUA_TNIL && luaL_getmetafield(L, env, "__index") != LUA_TNIL) {
    lua_pop(L, 2);
    lua_pushcfunction(L, get);
    lua_pushvalue(L, env);
    lua_pushvalue(L, -3);
    if (lua_pcall(L, 2, 1, 0) != LUA_OK) {
      lua_pop(L, 1);
      lua_pushnil(L);
    }
  }
  lua_remove(L, -2);
}
