/* The engine about itself: memory, threads, its ops, traces; for tools and specs. */
#include <time.h>

#include "bind/baked.h"
#include "bind/lb.h"
#include "core/mem.h"
#include "core/par.h"
#include "lariat.h"

static int mem_live(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)lar_mem_live());
  lua_pushinteger(L, (lua_Integer)lar_mem_bytes());
  return 2;
}
static int mem_count(lua_State *L) {
  return lua_pushinteger(L, (lua_Integer)lar_mem_count()), 1;
}
static int mem_trim(lua_State *L) { return lar_mem_trim(), 0; }
static int mem_fail_after(lua_State *L) {
  return lar_mem_fail_after((long)luaL_optinteger(L, 1, -1)), 0;
}

/* clock() -> seconds since some moment, by a clock that only goes forward */
static int wall_clock(lua_State *L) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return lua_pushnumber(L, (double)t.tv_sec + 1e-9 * (double)t.tv_nsec), 1;
}

/* threads() -> n, threads(n) */
static int threads(lua_State *L) {
  if (!lua_isnoneornil(L, 1)) {
    lua_Integer n = luaL_checkinteger(L, 1);
    if (n < 1 || n > 1024) return luaL_error(L, "threads: %d is not in 1..1024", (int)n);
    lar_par_set_threads((int)n);
  }
  return lua_pushinteger(L, lar_par_threads()), 1;
}

/* nearest(name, {known...}) -> the known word most like it */
static int nearest(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  int best = 0, least = 1000;
  luaL_checktype(L, 2, LUA_TTABLE);
  for (int k = 1; k <= (int)lua_rawlen(L, 2); k++) {
    lua_rawgeti(L, 2, k);
    int d = lar_edit_distance(name, luaL_checkstring(L, -1));
    if (d < least) least = d, best = k;
    lua_pop(L, 1);
  }
  if (best == 0) return 0;
  lua_rawgeti(L, 2, best);
  return 1;
}

/* ops() -> a list of {name, doc, args}, for the contract spec and the manual */
static int ops(lua_State *L) {
  lua_newtable(L);
  for (int k = 0; lar_ops[k] != NULL; k++) {
    const lar_op *op = lar_ops[k];
    lua_createtable(L, 0, 8);
    lua_pushstring(L, op->name), lua_setfield(L, -2, "name");
    lua_pushstring(L, op->doc), lua_setfield(L, -2, "doc");
    lua_pushstring(L, op->args), lua_setfield(L, -2, "args");
    lua_pushboolean(L, op->vjp != NULL || op->compose != NULL),
      lua_setfield(L, -2, "differentiable");
    lua_pushboolean(L, (op->traits & LAR_OP_HIDDEN) != 0), lua_setfield(L, -2, "hidden");
    lua_pushboolean(L, op->map[0] != NULL), lua_setfield(L, -2, "elementwise");
    lua_rawseti(L, -2, k + 1);
  }
  return 1;
}

static void note(void *ctx, const lar_op *op, const lar_attr *attr, int nin, lar_var *const *in,
                 int nout, lar_var *const *out) {
  (void)attr, (void)nin, (void)in, (void)nout, (void)out;
  lua_State *L = ctx; /* the list is on top; it has room for one more without an error */
  lua_pushlightuserdata(L, (void *)(uintptr_t)op);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

/* trace(fn, ...) -> a list of the names of the ops that fn applied, in order */
static int trace(lua_State *L) {
  luaL_checkany(L, 1);
  lua_State *list = lua_newthread(L); /* its own stack, out of fn's reach */
  lua_insert(L, 1);
  lua_newtable(list);
  lar_op_observe(note, list);
  int st = lua_pcall(L, lua_gettop(L) - 2, 0, 0);
  lar_op_observe(NULL, NULL);
  if (st != LUA_OK) return lua_error(L);
  int n = (int)lua_rawlen(list, -1);
  lua_createtable(L, n, 0);
  for (int k = 1; k <= n; k++) {
    lua_rawgeti(list, -1, k);
    lua_pushstring(L, ((const lar_op *)lua_touserdata(list, -1))->name);
    lua_pop(list, 1);
    lua_rawseti(L, -2, k);
  }
  return 1;
}

static const luaL_Reg lib[] = {
  {"mem_live", mem_live}, {"mem_count", mem_count},
  {"mem_trim", mem_trim}, {"mem_fail_after", mem_fail_after},
  {"clock", wall_clock},  {"threads", threads},
  {"nearest", nearest},   {"ops", ops},
  {"trace", trace},       {"baked", lb_baked_read},
  {NULL, NULL},
};

void lb_open_system(lua_State *L) {
  luaL_setfuncs(L, lib, 0);
  lua_pushliteral(L, LARIAT_VERSION);
  lua_setfield(L, -2, "version");
}
