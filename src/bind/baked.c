#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bind/baked.h"

#define MARK "lariat.baked"

int luaopen_lariat(lua_State *L);
int luaopen_lariat_core(lua_State *L);

/* The folder named by LARIAT_LUA, or NULL; `lariat -E` ignores it. */
static const char *disk(lua_State *L) {
  const char *dir = getenv("LARIAT_LUA");
  int ignore = lua_getfield(L, LUA_REGISTRYINDEX, "LUA_NOENV") == LUA_TBOOLEAN;
  lua_pop(L, 1);
  return dir && *dir && !ignore ? dir : NULL;
}

static const struct lb_baked *find(const char *name) {
  for (const struct lb_baked *f = lb_baked_files; f->name; f++)
    if (strcmp(f->name, name) == 0) return f;
  return NULL;
}

/* Push the function of one file: 1 if pushed, 0 if there is no such file. */
static int load(lua_State *L, const char *name) {
  const char *dir = disk(L);
  int bad;
  if (dir) {
    const char *path = lua_pushfstring(L, "%s/%s", dir, name);
    struct stat st;
    if (stat(path, &st) != 0) {
      lua_pop(L, 1);
      return 0;
    }
    bad = luaL_loadfilex(L, path, "t");
    lua_remove(L, -2);
  } else {
    const struct lb_baked *f = find(name);
    if (!f) return 0;
    const char *chunk = lua_pushfstring(L, "@%s", name);
    bad = luaL_loadbufferx(L, f->begin, (size_t)(f->end - f->begin), chunk, "t");
    lua_remove(L, -2);
  }
  if (bad) luaL_error(L, "error loading '%s':\n\t%s", name, lua_tostring(L, -1));
  return 1;
}

/* lariat.nn is lariat/nn.lua, or lariat/nn/init.lua. */
static int search(lua_State *L) {
  const char *module = luaL_checkstring(L, 1);
  if (strcmp(module, "lariat") != 0 && strncmp(module, "lariat.", 7) != 0) {
    lua_pushfstring(L, "no baked module '%s'", module);
    return 1;
  }
  const char *stem = luaL_gsub(L, module, ".", "/");
  const char *tail[] = {".lua", "/init.lua"};
  for (int i = 0; i < 2; i++) {
    const char *name = lua_pushfstring(L, "%s%s", stem, tail[i]);
    if (load(L, name)) {
      lua_insert(L, -2);
      return 2;
    }
  }
  lua_pushfstring(L, "no baked file '%s.lua'\n\tno baked file '%s/init.lua'", stem, stem);
  return 1;
}

void lb_baked_open(lua_State *L) {
  if (lua_getfield(L, LUA_REGISTRYINDEX, MARK) != LUA_TNIL) {
    lua_pop(L, 1);
    return;
  }
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_lariat_core);
  lua_setfield(L, -2, "lariat.core");
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, -1, "package");
  lua_getfield(L, -1, "searchers");
  for (lua_Integer i = luaL_len(L, -1); i >= 2; i--) { /* ours comes second, after preload */
    lua_rawgeti(L, -1, i);
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushcfunction(L, search);
  lua_rawseti(L, -2, 2);
  lua_pushboolean(L, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, MARK);
  lua_pop(L, 5);
}

/* Push the bytes of a file, nothing if there is none. The room is made before the file is
 * opened, so that no Lua error can leave it open. */
static void read_disk(lua_State *L, const char *path) {
  struct stat st;
  if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) return;
  luaL_Buffer b;
  size_t size = (size_t)st.st_size;
  char *to = luaL_buffinitsize(L, &b, size);
  FILE *f = fopen(path, "rb");
  size = f ? fread(to, 1, size, f) : 0;
  if (f) fclose(f);
  luaL_pushresultsize(&b, size);
}

int lb_baked_read(lua_State *L) {
  const char *name = luaL_checkstring(L, 1), *dir = disk(L);
  lua_settop(L, 1);
  if (dir) {
    const char *path = lua_pushfstring(L, "%s/%s", dir, name);
    lua_pushnil(L);
    read_disk(L, path);
    return 1;
  }
  const struct lb_baked *f = find(name);
  if (f)
    lua_pushlstring(L, f->begin, (size_t)(f->end - f->begin));
  else
    lua_pushnil(L);
  return 1;
}

/* require "lariat" from a stock Lua. */
__attribute__((visibility("default"))) int luaopen_lariat(lua_State *L) {
  lb_baked_open(L);
  lua_pushcfunction(L, search);
  lua_pushliteral(L, "lariat");
  lua_call(L, 1, 2);
  if (!lua_isfunction(L, -2)) return luaL_error(L, "%s", lua_tostring(L, -2));
  lua_pushliteral(L, "lariat");
  lua_insert(L, -2);
  lua_call(L, 2, 1);
  return 1;
}
