/* Making modules from Lua: layers and containers by their parameters, and layers written in
 * Lua. */
#include <string.h>

#include "bind/lb_module.h"

#define BARE "a function of x alone" /* a field of layers made from a plain function */

/* ---- layers written in Lua ---- */

void lb_module_fields(lua_State *L, lar_module *m) {
  lb_module_push(L, m);
  lua_getiuservalue(L, -1, LB_MODULE_FIELDS);
  lua_remove(L, -2);
}

typedef struct job {
  lar_module *m;
  lar_var *x, *y;
  const char *got; /* the type of what came instead of a tensor */
} job;

static int run_forward(lua_State *L) {
  job *j = lua_touserdata(L, 1);
  lb_module_push(L, j->m);
  if (lua_getiuservalue(L, -1, LB_MODULE_FIELDS) != LUA_TTABLE)
    return luaL_error(L, "the Lua side of this layer is gone: nothing keeps its object");
  bool bare = lua_getfield(L, -1, BARE) != LUA_TNIL;
  lua_getfield(L, -2, "forward");
  if (!bare) lua_pushvalue(L, 2);
  lb_tensor_push(L, j->x);
  lua_call(L, bare ? 1 : 2, 1);
  lar_var *y = lb_tensor_test(L, -1);
  if (y == NULL)
    j->got = lua_typename(L, lua_type(L, -1)); /* a constant of Lua's */
  else
    j->y = lar_var_ref(y);
  return 0;
}

/* Nothing here can raise: a C function without upvalues and a light userdata need no memory. */
static lar_status call_lua(void *ctx, lar_module *m, lar_var *x, lar_var **y) {
  lua_State *L = lb_current();
  job j = {.m = m, .x = x};
  *y = NULL;
  if (!lua_checkstack(L, 4)) return lar_fail(LAR_ENOMEM, "the Lua stack is full");
  lua_pushcfunction(L, run_forward);
  lua_pushlightuserdata(L, &j);
  lar_status st = lb_call(L, 1, 0);
  if (st == LAR_OK && j.y == NULL)
    return lar_fail(LAR_EARG, "forward returned %s%s, not a tensor",
                    strcmp(j.got, "nil") == 0 ? "" : "a ", j.got);
  *y = j.y;
  return st;
}

static const lar_layer written_in_lua = {.name = "module", .doc = "a layer written in Lua"};

/* ---- making ---- */

typedef struct maker {
  lua_State *L;
  const lar_layer *type;
  int arg, top;
  void *self; /* a userdata on the stack */
  int nchild;
  lar_module **child;
  const char *init;
} maker;

static void put_sizes(maker *k, const char *name) {
  char full[32];
  int n = (int)lua_rawlen(k->L, k->arg);
  for (int i = 1; i <= n; i++) {
    lua_pushfstring(k->L, i > 1 ? "%s%d" : "%s", name, i);
    strncpy(full, lua_tostring(k->L, -1), sizeof full - 1);
    full[sizeof full - 1] = '\0';
    lua_pop(k->L, 1);
    if (lar_param_find(k->type->params, full) == NULL)
      luaL_error(k->L, "%s: more than %d sizes", k->type->name, i - 1);
    lua_rawgeti(k->L, k->arg, i);
    lb_param(k->L, -1, k->type->name, k->type->params, k->self, full);
    lua_pop(k->L, 1);
  }
}

/* Numbers before the options, in the order of type->args. */
static void read_positional(maker *k) {
  const char *a = k->type->args;
  char name[32];
  while (a != NULL && *a != '\0' && k->arg <= k->top) {
    size_t n = strcspn(a, " *");
    bool sizes = a[n] == '*';
    if (n >= sizeof name) n = sizeof name - 1;
    memcpy(name, a, n);
    name[n] = '\0';
    if (lua_istable(k->L, k->arg) && (!sizes || lb_is_options(k->L, k->arg))) return;
    if (lua_istable(k->L, k->arg))
      put_sizes(k, name);
    else if (!lua_isnil(k->L, k->arg))
      lb_param(k->L, k->arg, k->type->name, k->type->params, k->self, name);
    k->arg++;
    a += n + sizes;
    a += strspn(a, " ");
  }
}

/* Replace a function of a tensor on top by a layer that calls it. */
static void wrap_function(lua_State *L) {
  lar_module **out = lb_module_object(L);
  lb_check(L, lar_module_new(out, &written_in_lua, NULL, NULL, 0, NULL));
  lb_module_enter(L, *out);
  (*out)->call = call_lua;
  lb_check(L, lar_module_title(*out, "function"));
  lua_createtable(L, 0, 2);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "forward");
  lua_pushboolean(L, true);
  lua_setfield(L, -2, BARE);
  lua_setiuservalue(L, -2, LB_MODULE_FIELDS);
  lua_remove(L, -2);
}

static bool child_at(lua_State *L, int arg) {
  return lb_module_test(L, arg) != NULL || lua_isfunction(L, arg);
}

/* The layers in a list at k->arg, or as arguments from there. */
static void read_children(maker *k) {
  lua_State *L = k->L;
  bool list = lua_istable(L, k->arg);
  int n = 0;
  if (list)
    n = (int)lua_rawlen(L, k->arg);
  else
    while (k->arg + n <= k->top && child_at(L, k->arg + n)) n++;
  k->child = lua_newuserdatauv(L, (size_t)n * sizeof(lar_module *) + 1, 0);
  lua_createtable(L, n, 0); /* keeps what the list points at alive */
  for (int i = 0; i < n; i++) {
    if (list)
      lua_rawgeti(L, k->arg, i + 1);
    else
      lua_pushvalue(L, k->arg + i);
    if (lua_isfunction(L, -1)) wrap_function(L);
    k->child[i] = lb_module_test(L, -1);
    if (k->child[i] == NULL)
      luaL_error(L, "%s: item %d of the list is a %s, not a layer", k->type->name, i + 1,
                 luaL_typename(L, -1));
    lua_rawseti(L, -2, i + 1);
  }
  k->nchild = n;
  if (!list) k->arg += n; /* a list may hold the options too */
}

static void read_options(maker *k) {
  static const char *const with_init[] = {"init", NULL};
  lua_State *L = k->L;
  const lar_layer *type = k->type;
  if (k->arg > k->top || (k->arg == k->top && lua_isnil(L, k->arg))) return;
  if (k->arg < k->top || !lua_istable(L, k->arg))
    luaL_error(L, "%s: argument %d is one too many, or no table of options", type->name,
               k->arg < k->top ? k->arg + 1 : k->arg);
  bool init = type->traits & LAR_LAYER_INIT;
  if (lua_rawlen(L, k->arg) > 0 && !(type->traits & LAR_LAYER_CONTAINER))
    luaL_error(L, "%s: options are named; found a list", type->name);
  lb_params(L, k->arg, type->name, type->params, k->self, init ? with_init : NULL);
  if (!init || lua_getfield(L, k->arg, "init") == LUA_TNIL) return;
  if (lua_type(L, -1) != LUA_TSTRING)
    luaL_error(L, "%s: init is the name of an initialiser, not a %s", type->name,
               luaL_typename(L, -1));
  k->init = lua_tostring(L, -1); /* stays on the stack */
}

/* A parameter whose default is out of its range has to be given. */
static void check_given(maker *k) {
  for (const lar_param *p = k->type->params; p != NULL && p->name != NULL; p++)
    if (p->choices == NULL && !(lar_param_get(p, k->self) >= p->lo))
      luaL_error(k->L, "%s: %s is missing (%s)", k->type->name, p->name, p->doc);
}

/* Upvalue 1: the layer. */
int lb_module_make(lua_State *L) {
  maker k = {
    .L = L, .type = lua_touserdata(L, lua_upvalueindex(1)), .arg = 1, .top = lua_gettop(L)};
  k.self = lua_newuserdatauv(L, k.type->size + 1, 0);
  memset(k.self, 0, k.type->size); /* what no parameter fills */
  lar_param_default(k.type->params, k.self);
  if (k.type->traits & LAR_LAYER_CONTAINER) read_children(&k);
  read_positional(&k);
  read_options(&k);
  check_given(&k);
  lar_module **out = lb_module_object(L);
  lb_check(L, lar_module_new(out, k.type, k.self, k.init, k.nchild, k.child));
  lb_module_enter(L, *out);
  for (int i = 0; i < k.nchild; i++) {
    lb_module_child(L, -1, *out, i);
    lua_pop(L, 1);
  }
  return 1;
}

/* ---- making layers written in Lua ---- */

/* A slot from {name=, tensor=, kind=, buffer=} on top. */
static void add_slot(lua_State *L, lar_module *m) {
  lua_getfield(L, -1, "name");
  lua_getfield(L, -2, "tensor");
  lua_getfield(L, -3, "kind");
  lua_getfield(L, -4, "buffer");
  lar_var *v = lb_tensor(L, -3);
  bool buffer = lua_toboolean(L, -1);
  lb_check(L, lar_module_put(m, luaL_checkstring(L, -4),
                             lar_pkind_find(luaL_checkstring(L, -2)), buffer, v));
  if (!buffer) v->requires_grad = true;
  lua_pop(L, 4);
}

/* module(title, slots, children, fields): checked by lariat.nn, which calls this. */
int lb_module_of_lua(lua_State *L) {
  maker k = {.L = L, .type = &written_in_lua, .arg = 3, .top = 3};
  const char *title = luaL_optstring(L, 1, NULL);
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checktype(L, 3, LUA_TTABLE);
  luaL_checktype(L, 4, LUA_TTABLE);
  lua_settop(L, 4);
  read_children(&k);
  lar_module **out = lb_module_object(L);
  lb_check(L, lar_module_new(out, k.type, NULL, NULL, k.nchild, k.child));
  lb_module_enter(L, *out);
  (*out)->call = call_lua;
  lb_check(L, lar_module_title(*out, title));
  lua_pushvalue(L, 4);
  lua_setiuservalue(L, -2, LB_MODULE_FIELDS);
  int n = (int)lua_rawlen(L, 2), self = lua_gettop(L);
  for (int i = 1; i <= n; i++) {
    lua_rawgeti(L, 2, i);
    add_slot(L, *out);
    lua_pop(L, 1);
  }
  for (int i = 0; i < k.nchild; i++) {
    lb_module_child(L, self, *out, i);
    lua_pop(L, 1);
  }
  return 1;
}
