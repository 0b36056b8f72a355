/* lariat.core.compile: functions of tensors as plans. */
#include <stdio.h>
#include <string.h>

#include "bind/lb_key.h"
#include "core/mem.h"
#include "grad/compiled.h"

#define COMPILED "lariat.compiled"

enum { KINDS = 16, RESULTS = 16, TRIES = 3, FUNCTION = 2 /* user value */ };

/* Calls of one key. */
typedef struct kind {
  lar_key key;
  lar_trace *trace; /* of the last call that was traced */
  lar_compiled *made;
  int tries;
  uint64_t used;
} kind;

typedef struct compiled {
  bool dynamic, measure;
  int n;
  uint64_t clock;
  lar_key key, other;
  size_t head; /* bytes of a key that are the arguments' */
  lb_counters counters;
  lar_trace *open; /* while the function runs */
  kind at[KINDS];
} compiled;

static compiled *self(lua_State *L) { return luaL_checkudata(L, 1, COMPILED); }

/* ---- life ---- */

static void forget(kind *k) {
  lar_trace_free(k->trace);
  lar_compiled_unref(k->made);
  k->trace = NULL;
  k->made = NULL;
}

static void clear(kind *k) {
  forget(k);
  lar_free(k->key.at);
  *k = (kind){0};
}

static int gc(lua_State *L) {
  compiled *c = self(L);
  for (int k = 0; k < c->n; k++) clear(&c->at[k]);
  c->n = 0;
  lar_trace_free(c->open);
  c->open = NULL;
  lar_free(c->key.at);
  lar_free(c->other.at);
  c->key = c->other = (lar_key){0};
  return 0;
}

/* compile(fn, dynamic) */
static int compile(lua_State *L) {
  luaL_checkany(L, 1);
  lua_settop(L, 2);
  compiled *c = lua_newuserdatauv(L, sizeof *c, 2);
  memset(c, 0, sizeof *c);
  luaL_setmetatable(L, COMPILED);
  c->dynamic = lua_toboolean(L, 2);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, FUNCTION);
  return 1;
}

/* ---- the key of a call ---- */

/* Add to the key what the function reaches. */
static void reach(lua_State *L, compiled *c, int phase, lar_key *k) {
  c->counters.phase = phase;
  if (phase == LB_BEFORE) c->counters.nseen = 0;
  lua_getiuservalue(L, 1, FUNCTION);
  lb_key_function(L, -1, k, &c->counters);
  lua_pop(L, 1);
}

/* The function has run: numbers that it changed by itself go from the key of the kind. */
static void leave_out_counters(lua_State *L, compiled *c, kind *k) {
  int former = c->counters.n;
  lar_key_empty(&c->other);
  reach(L, c, LB_AFTER, &c->other);
  if (c->counters.n == former) return;
  k->key.n = c->head;
  reach(L, c, LB_KNOWN, &k->key);
  lb_check(L, k->key.status);
}

static void read_key(lua_State *L, compiled *c, int nargs) {
  lar_key *k = &c->key;
  const int modes[] = {nargs, lar_grad_enabled(), (int)lar_default_dtype};
  lar_key_empty(k);
  lar_key_put(k, modes, sizeof modes);
  for (int j = 2; j < 2 + nargs; j++) {
    const lar_var *v = lb_tensor_test(L, j);
    int type = lua_type(L, j);
    if (v != NULL)
      lar_key_layout(k, v);
    else if (type != LUA_TNIL && type != LUA_TNUMBER && type != LUA_TSTRING &&
             type != LUA_TBOOLEAN)
      luaL_error(L,
                 "compile: argument %d is a %s; a compiled function takes tensors, numbers, "
                 "strings and booleans",
                 j - 1, luaL_typename(L, j));
    else
      lb_key_value(L, j, k);
  }
  c->head = k->n;
  reach(L, c, LB_KNOWN, k);
  lb_check(L, k->status);
}

static kind *find(compiled *c) {
  kind *at = NULL;
  for (int k = 0; k < c->n && at == NULL; k++)
    if (c->at[k].key.n == c->key.n && memcmp(c->at[k].key.at, c->key.at, c->key.n) == 0)
      at = &c->at[k];
  if (at != NULL) at->used = ++c->clock;
  return at;
}

/* A place for calls of a new key: the one not seen for longest. */
static kind *add(lua_State *L, compiled *c) {
  kind *at = &c->at[0];
  if (c->n < KINDS) at = &c->at[c->n++];
  for (int k = 0; k < c->n && at->used != 0; k++)
    if (c->at[k].used < at->used) at = &c->at[k];
  clear(at);
  at->used = ++c->clock;
  lar_key_put(&at->key, c->key.at, c->key.n);
  lb_check(L, at->key.status);
  return at;
}

/* ---- running the function itself ---- */

/* The function with the arguments at 2.., as if it had been called. */
static int plainly(lua_State *L) {
  int nargs = lua_gettop(L) - 1;
  lua_getiuservalue(L, 1, FUNCTION);
  lua_insert(L, 2);
  lua_call(L, nargs, LUA_MULTRET);
  return lua_gettop(L) - 1;
}

static int refuse(lua_State *L, const char *why) {
  return luaL_error(L, "compile: %s; say lariat.compile(fn, { dynamic = true })", why);
}

typedef struct call {
  int nargs, nin, nout;
  lar_var *x[LAR_TRACE_INPUTS], *alias[LAR_TRACE_INPUTS], *out[RESULTS];
  lar_var *grad[LAR_TRACE_INPUTS];
} call;

static void read_inputs(lua_State *L, call *c) {
  c->nin = 0;
  for (int j = 2; j < 2 + c->nargs; j++) {
    lar_var *v = lb_tensor_test(L, j);
    if (v == NULL) continue;
    if (c->nin == LAR_TRACE_INPUTS - LAR_MAX_OUT)
      luaL_error(L, "compile: more than %d tensors", LAR_TRACE_INPUTS - LAR_MAX_OUT);
    c->x[c->nin++] = v;
  }
}

/* Replace the tensors at 2.. by those under which the trace knows them. */
static void push_aliases(lua_State *L, const compiled *c, call *now) {
  int n = 0;
  for (int j = 2; j < 2 + now->nargs; j++) {
    lar_var *v = lb_tensor_test(L, j);
    if (v == NULL) continue;
    lar_var **box = lb_tensor_new(L);
    lb_check(L, lar_trace_input(c->open, v, box));
    now->alias[n] = *box;
    now->grad[n++] = v->grad;
    lua_replace(L, j);
  }
}

/* Results as the trace has them, in the place of those that the function returned. */
static void take_results(lua_State *L, call *c) {
  for (int k = 0; k < c->nout; k++) {
    *lb_tensor_new(L) = c->out[k];
    lua_replace(L, 2 + k);
  }
}

static void read_results(lua_State *L, call *c) {
  if (c->nout < 1 || c->nout > RESULTS)
    luaL_error(L, "compile: the function returned %d results; 1 to %d tensors will do", c->nout,
               RESULTS);
  for (int k = 0; k < c->nout; k++) {
    c->out[k] = lb_tensor_test(L, 2 + k);
    if (c->out[k] == NULL)
      luaL_error(L, "compile: result %d of the function is a %s, not a tensor", k + 1,
                 luaL_typename(L, 2 + k));
  }
}

/* Gradients that reach tensors outside would be left there by this call, and by no other. */
static void check_gradients(lua_State *L, const lar_trace *t, const call *c) {
  bool left = false;
  for (int k = 0; k < c->nin; k++) left = left || c->x[k]->grad != c->grad[k];
  for (int k = 0; k < t->nwatch; k++) left = left || t->watch[k].v->grad != t->watch[k].grad;
  if (left)
    refuse(L, "backward() inside the function leaves gradients in tensors outside it; return "
              "what lariat.grad gives");
}

/* ---- a traced call ---- */

/* What the trace is good for: kept to be compared with the next, or made a plan. */
static void learn(lua_State *L, compiled *c, kind *k, int nin) {
  lar_trace *t = c->open;
  if (t->why[0] != '\0') {
    char why[LAR_TRACE_WHY];
    (void)snprintf(why, sizeof why, "%s", t->why);
    forget(k);
    refuse(L, why);
  }
  if (k->trace != NULL && lar_trace_agree(k->trace, t)) {
    lb_check(L, lar_compiled_new(&k->made, t, nin));
    lar_plan_measure(lar_compiled_plan(k->made), c->measure);
    return;
  }
  if (k->trace != NULL && ++k->tries >= TRIES) refuse(L, t->why);
  lar_trace_free(k->trace);
  k->trace = t;
  c->open = NULL;
  lar_trace_let_go(t);
  t->why[0] = '\0';
}

static int traced(lua_State *L, compiled *c, kind *k, call *now) {
  lar_key_empty(&c->other);
  reach(L, c, LB_BEFORE, &c->other);
  lb_check(L, lar_trace_new(&c->open, true));
  push_aliases(L, c, now);
  lua_getiuservalue(L, 1, FUNCTION);
  lua_insert(L, 2);
  lar_trace_begin(c->open);
  int st = lua_pcall(L, now->nargs, LUA_MULTRET, 0);
  if (st != LUA_OK) {
    lar_trace_free(c->open);
    c->open = NULL;
    return lua_error(L);
  }
  lar_trace *t = c->open;
  now->nout = lua_gettop(L) - 1;
  bool tensors = now->nout >= 1 && now->nout <= RESULTS;
  for (int j = 0; tensors && j < now->nout; j++) {
    now->out[j] = lb_tensor_test(L, 2 + j);
    tensors = now->out[j] != NULL;
  }
  lar_status noted =
    tensors ? lar_compiled_note(t, now->nin, now->alias, now->nout, now->out) : LAR_OK;
  lar_trace_end(t);
  if (tensors)
    take_results(L, now);
  else
    read_results(L, now); /* raises */
  lb_check(L, noted);
  check_gradients(L, t, now);
  leave_out_counters(L, c, k);
  learn(L, c, k, now->nin);
  lar_trace_free(c->open);
  c->open = NULL;
  return now->nout;
}

/* ---- a call ---- */

static int by_plan(lua_State *L, lar_compiled *made, call *now) {
  int n = lar_compiled_results(made);
  luaL_checkstack(L, n + 4, NULL);
  lua_settop(L, 1 + now->nargs); /* the arguments stay alive */
  lar_var **box[RESULTS];
  for (int k = 0; k < n; k++) box[k] = lb_tensor_new(L);
  lb_check(L, lar_compiled_call(made, now->x, now->out));
  for (int k = 0; k < n; k++) *box[k] = now->out[k];
  return n;
}

/* The object called, told by its metatable, which the function holds: no look-up by name. */
static compiled *called(lua_State *L) {
  bool one = lua_getmetatable(L, 1) && lua_rawequal(L, -1, lua_upvalueindex(1));
  if (!one) return self(L); /* raises */
  lua_pop(L, 1);
  return lua_touserdata(L, 1);
}

static int invoke(lua_State *L) {
  compiled *c = called(L);
  call now = {.nargs = lua_gettop(L) - 1};
  if (c->dynamic || lar_op_traced()) return plainly(L);
  lb_enter(L);
  lb_pressure(L);
  lar_trace_free(c->open); /* of a call that ended with an error */
  c->open = NULL;
  read_key(L, c, now.nargs);
  read_inputs(L, &now);
  if (c->key.partial) return plainly(L);
  kind *k = find(c);
  if (k == NULL) k = add(L, c);
  if (k->made != NULL && !lar_plan_holds(lar_compiled_plan(k->made))) forget(k);
  return k->made != NULL ? by_plan(L, k->made, &now) : traced(L, c, k, &now);
}

/* ---- what it consists of ---- */

void lb_plan_kernels(lua_State *L, const lar_plan *p) {
  lua_createtable(L, lar_plan_kernels(p), 2);
  for (int k = 0; k < lar_plan_kernels(p); k++) {
    lar_kernel_info i = lar_plan_kernel(p, k);
    lua_createtable(L, 0, 5);
    lua_pushstring(L, i.name), lua_setfield(L, -2, "name");
    lua_pushstring(L, i.shape), lua_setfield(L, -2, "shape");
    lua_pushinteger(L, (lua_Integer)i.bytes), lua_setfield(L, -2, "bytes");
    lua_pushnumber(L, i.seconds), lua_setfield(L, -2, "seconds");
    lua_pushinteger(L, i.runs), lua_setfield(L, -2, "runs");
    lua_rawseti(L, -2, k + 1);
  }
  lua_pushinteger(L, (lua_Integer)lar_plan_bytes(p));
  lua_setfield(L, -2, "bytes");
}

/* c:plans() -> a list: of each plan, its kernels */
static int plans(lua_State *L) {
  const compiled *c = self(L);
  lua_newtable(L);
  int n = 0;
  for (int k = 0; k < c->n; k++) {
    if (c->at[k].made == NULL) continue;
    lb_plan_kernels(L, lar_compiled_plan(c->at[k].made));
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

/* c:measure(on): note times from now on, or no more */
static int measure(lua_State *L) {
  compiled *c = self(L);
  c->measure = lua_toboolean(L, 2);
  for (int k = 0; k < c->n; k++)
    if (c->at[k].made != NULL) lar_plan_measure(lar_compiled_plan(c->at[k].made), c->measure);
  return 0;
}

static const luaL_Reg lib[] = {{"compile", compile}, {NULL, NULL}};
static const luaL_Reg methods[] = {{"plans", plans}, {"measure", measure}, {NULL, NULL}};
static const luaL_Reg meta[] = {{"__gc", gc}, {NULL, NULL}};

void lb_open_plan(lua_State *L) {
  luaL_setfuncs(L, lib, 0);
  lb_class(L, COMPILED, methods, meta);
  luaL_getmetatable(L, COMPILED);
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, invoke, 1);
  lua_setfield(L, -2, "__call");
  lua_getfield(L, -1, "__index");
  lua_setfield(L, -3, "compiled_methods");
  lua_pop(L, 1);
}
