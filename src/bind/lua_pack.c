/* Files of named tensors, and tables as JSON: what checkpoints are made of. */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind/lb.h"
#include "io/safetensors.h"
#include "kern/copy.h"

#define PACK "lariat.pack"
#define KEY  "lariat"

/* ---- files ---- */

static int pack_gc(lua_State *L) {
  lar_pack_clear(luaL_checkudata(L, 1, PACK));
  return 0;
}

/* pack_save(path, names (a list), tensors (a list), text) -> true; or nil and a sentence */
static int pack_save(lua_State *L) {
  const char *path = luaL_checkstring(L, 1), *text = luaL_checkstring(L, 4);
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checktype(L, 3, LUA_TTABLE);
  size_t n = (size_t)lua_rawlen(L, 2);
  const char **name = lua_newuserdatauv(L, (n + 1) * sizeof *name, 0);
  lar_tensor *at = lua_newuserdatauv(L, (n + 1) * sizeof *at, 0);
  for (size_t k = 0; k < n; k++) {
    lua_rawgeti(L, 2, (lua_Integer)k + 1);
    name[k] = luaL_checkstring(L, -1); /* the lists keep both */
    lua_rawgeti(L, 3, (lua_Integer)k + 1);
    at[k] = lb_tensor(L, lua_gettop(L))->t;
    luaL_argcheck(L, lar_tensor_is_contiguous(&at[k]), 3, "tensors must be contiguous");
    lua_pop(L, 2);
  }
  lar_status st = lar_safetensors_save(path, (int)n, name, at, KEY, text);
  if (st == LAR_EIO) {
    lua_pushnil(L);
    lua_pushstring(L, lar_why());
    return 2;
  }
  lb_check(L, st);
  return lua_pushboolean(L, true), 1;
}

/* pack_read(path) -> a table from names to tensors, the text or nil; or nil and a sentence */
static int pack_read(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  lb_pressure(L);
  lar_pack *p = lb_new(L, sizeof *p, PACK);
  lar_status st = lar_safetensors_read(p, path, KEY);
  if (st == LAR_EIO) {
    lua_pushnil(L);
    lua_pushstring(L, lar_why());
    return 2;
  }
  lb_check(L, st);
  lua_createtable(L, 0, p->n);
  for (int k = 0; k < p->n; k++) {
    lar_var **box = lb_tensor_new(L);
    lb_check(L, lar_var_new(box, &p->at[k]));
    lua_setfield(L, -2, p->name[k]);
  }
  lua_pushstring(L, p->text);
  lar_pack_clear(p);
  return 2;
}

/* ---- JSON ---- */

enum { DEEPEST = 64 };

static cJSON *encode(lua_State *L, int at, int depth, bool *ok);

/* What JSON would not bring back as it was is {"float": "3"} or {"int": "..."}. */
static cJSON *encode_number(lua_State *L, int at) {
  char text[40];
  bool integer = lua_isinteger(L, at), plain;
  if (integer) {
    lua_Integer v = lua_tointeger(L, at);
    plain = v > -(1LL << 53) && v < 1LL << 53;
    snprintf(text, sizeof text, LUA_INTEGER_FMT, v);
  } else {
    double v = lua_tonumber(L, at);
    plain = isfinite(v) && v != floor(v);
    snprintf(text, sizeof text, "%.17g", v);
  }
  if (plain) return cJSON_CreateRaw(text); /* its own printing drops digits */
  cJSON *o = cJSON_CreateObject();
  (void)cJSON_AddStringToObject(o, integer ? "int" : "float", text);
  return o;
}

static cJSON *encode_list(lua_State *L, int at, int depth, bool *ok) {
  cJSON *o = cJSON_CreateArray();
  for (lua_Integer k = 1, n = (lua_Integer)lua_rawlen(L, at); k <= n && *ok; k++) {
    lua_rawgeti(L, at, k);
    (void)cJSON_AddItemToArray(o, encode(L, lua_gettop(L), depth, ok));
    lua_pop(L, 1);
  }
  return o;
}

static cJSON *encode_table(lua_State *L, int at, int depth, bool *ok) {
  if (depth > DEEPEST || !lua_checkstack(L, 8)) return *ok = false, NULL;
  if (lua_rawlen(L, at) > 0) return encode_list(L, at, depth, ok);
  cJSON *o = cJSON_CreateObject();
  lua_pushnil(L);
  while (lua_next(L, at) != 0) {
    bool named = lua_type(L, -2) == LUA_TSTRING;
    if (named && *ok)
      (void)cJSON_AddItemToObject(o, lua_tostring(L, -2), encode(L, lua_gettop(L), depth, ok));
    *ok = *ok && named;
    lua_pop(L, 1);
  }
  return o;
}

static cJSON *encode(lua_State *L, int at, int depth, bool *ok) {
  switch (lua_type(L, at)) {
  case LUA_TNUMBER: return encode_number(L, at);
  case LUA_TBOOLEAN: return cJSON_CreateBool(lua_toboolean(L, at));
  case LUA_TSTRING: return cJSON_CreateString(lua_tostring(L, at));
  case LUA_TTABLE: return encode_table(L, at, depth + 1, ok);
  default: return *ok = false, NULL;
  }
}

/* json_encode(value): numbers, strings, booleans, lists and tables with string keys */
static int json_encode(lua_State *L) {
  bool ok = true;
  luaL_checkany(L, 1);
  cJSON *o = encode(L, 1, 0, &ok);
  char *text = ok ? cJSON_PrintUnformatted(o) : NULL;
  cJSON_Delete(o);
  if (text == NULL)
    return luaL_error(L, "json: only numbers, strings, booleans, lists and tables with string "
                         "keys can be written");
  lua_pushstring(L, text);
  cJSON_free(text);
  return 1;
}

static bool decode_exact(lua_State *L, const cJSON *v) {
  const cJSON *only = v->child;
  if (only == NULL || only->next != NULL || !cJSON_IsString(only)) return false;
  if (strcmp(only->string, "float") == 0)
    lua_pushnumber(L, strtod(only->valuestring, NULL));
  else if (strcmp(only->string, "int") == 0)
    lua_pushinteger(L, strtoll(only->valuestring, NULL, 10));
  else
    return false;
  return true;
}

/* Runs protected, so that the parsed text is freed whatever happens. */
static void decode(lua_State *L, const cJSON *v) {
  luaL_checkstack(L, 4, "json");
  if (cJSON_IsNumber(v)) {
    double d = v->valuedouble;
    if (d == floor(d) && fabs(d) < 0x1p53)
      lua_pushinteger(L, (lua_Integer)d);
    else
      lua_pushnumber(L, d);
  } else if (cJSON_IsBool(v)) {
    lua_pushboolean(L, cJSON_IsTrue(v));
  } else if (cJSON_IsString(v)) {
    lua_pushstring(L, v->valuestring);
  } else if (cJSON_IsArray(v)) {
    lua_newtable(L);
    lua_Integer k = 0;
    for (const cJSON *e = v->child; e != NULL; e = e->next) {
      decode(L, e);
      lua_rawseti(L, -2, ++k);
    }
  } else if (cJSON_IsObject(v)) {
    if (decode_exact(L, v)) return;
    lua_newtable(L);
    for (const cJSON *e = v->child; e != NULL; e = e->next) {
      decode(L, e);
      lua_setfield(L, -2, e->string);
    }
  } else {
    lua_pushnil(L);
  }
}

static int decode_all(lua_State *L) {
  decode(L, lua_touserdata(L, 1));
  return 1;
}

/* json_decode(text) -> what json_encode was given; nil where the text is no JSON */
static int json_decode(lua_State *L) {
  cJSON *o = cJSON_Parse(luaL_checkstring(L, 1));
  if (o == NULL) return lua_pushnil(L), 1;
  lua_pushcfunction(L, decode_all);
  lua_pushlightuserdata(L, o);
  int failed = lua_pcall(L, 1, 1, 0);
  cJSON_Delete(o);
  return failed ? lua_error(L) : 1;
}

static const luaL_Reg meta[] = {{"__gc", pack_gc}, {"__close", pack_gc}, {NULL, NULL}};
static const luaL_Reg nothing[] = {{NULL, NULL}};

static const luaL_Reg lib[] = {
  {"pack_save", pack_save},
  {"pack_read", pack_read},
  {"json_encode", json_encode},
  {"json_decode", json_decode},
  {NULL, NULL},
};

void lb_open_pack(lua_State *L) {
  lb_class(L, PACK, nothing, meta);
  luaL_setfuncs(L, lib, 0);
}
