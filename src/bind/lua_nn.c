/* The module class: layers and containers made from Lua, and layers written in Lua. */
#include <stdio.h>
#include <string.h>

#include "bind/lb_model.h"
#include "nn/init.h"

enum { ANCHORS = 1, FIELDS = 2 }; /* user values of a module object */

#define BARE "a function of x alone" /* a field of layers made from a plain function */

static const char objects_key; /* its address names a weak table: module -> object */

/* ---- objects ---- */

static lar_module **new_object(lua_State *L) {
  lar_module **p = lua_newuserdatauv(L, sizeof *p, FIELDS);
  *p = NULL;
  luaL_setmetatable(L, LB_MODULE);
  return p;
}

/* From now on, pushing the module in the object on top gives that object. */
static void enter_object(lua_State *L, lar_module *m) {
  lb_push_weak(L, &objects_key);
  lua_pushvalue(L, -2);
  lua_rawsetp(L, -2, m);
  lua_pop(L, 1);
}

void lb_module_push(lua_State *L, lar_module *m) {
  luaL_checkstack(L, 6, NULL);
  if (m == NULL) {
    lua_pushnil(L);
    return;
  }
  lb_push_weak(L, &objects_key);
  if (lua_rawgetp(L, -1, m) == LUA_TNIL) {
    lua_pop(L, 1);
    lar_module **p = new_object(L);
    enter_object(L, m);
    *p = lar_module_ref(m);
  }
  lua_remove(L, -2);
}

lar_module *lb_module_test(lua_State *L, int arg) {
  lar_module **p = luaL_testudata(L, arg, LB_MODULE);
  return p == NULL ? NULL : *p;
}

lar_module *lb_module(lua_State *L, int arg) {
  lar_module *m = lb_module_test(L, arg);
  if (m == NULL) luaL_typeerror(L, arg, "model");
  return m;
}

static int module_gc(lua_State *L) {
  lar_module **p = luaL_checkudata(L, 1, LB_MODULE);
  lar_module *m = *p;
  *p = NULL;
  lar_module_unref(m);
  return 0;
}

/* The k-th child's object, kept by the object at `parent` so that it stays the same one. */
static void push_child(lua_State *L, int parent, lar_module *m, int k) {
  parent = lua_absindex(L, parent);
  lb_module_push(L, m->child[k]);
  lb_anchor(L, parent, -1);
}

/* ---- layers written in Lua ---- */

void lb_module_fields(lua_State *L, lar_module *m) {
  lb_module_push(L, m);
  lua_getiuservalue(L, -1, FIELDS);
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
  if (lua_getiuservalue(L, -1, FIELDS) != LUA_TTABLE)
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
  lar_module **out = new_object(L);
  lb_check(L, lar_module_new(out, &written_in_lua, NULL, NULL, 0, NULL));
  enter_object(L, *out);
  (*out)->call = call_lua;
  lb_check(L, lar_module_title(*out, "function"));
  lua_createtable(L, 0, 2);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "forward");
  lua_pushboolean(L, true);
  lua_setfield(L, -2, BARE);
  lua_setiuservalue(L, -2, FIELDS);
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
static int module_make(lua_State *L) {
  maker k = {
    .L = L, .type = lua_touserdata(L, lua_upvalueindex(1)), .arg = 1, .top = lua_gettop(L)};
  k.self = lua_newuserdatauv(L, k.type->size + 1, 0);
  memset(k.self, 0, k.type->size); /* what no parameter fills */
  lar_param_default(k.type->params, k.self);
  if (k.type->traits & LAR_LAYER_CONTAINER) read_children(&k);
  read_positional(&k);
  read_options(&k);
  check_given(&k);
  lar_module **out = new_object(L);
  lb_check(L, lar_module_new(out, k.type, k.self, k.init, k.nchild, k.child));
  enter_object(L, *out);
  for (int i = 0; i < k.nchild; i++) {
    push_child(L, -1, *out, i);
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
static int module_of_lua(lua_State *L) {
  maker k = {.L = L, .type = &written_in_lua, .arg = 3, .top = 3};
  const char *title = luaL_optstring(L, 1, NULL);
  luaL_checktype(L, 2, LUA_TTABLE);
  luaL_checktype(L, 3, LUA_TTABLE);
  luaL_checktype(L, 4, LUA_TTABLE);
  lua_settop(L, 4);
  read_children(&k);
  lar_module **out = new_object(L);
  lb_check(L, lar_module_new(out, k.type, NULL, NULL, k.nchild, k.child));
  enter_object(L, *out);
  (*out)->call = call_lua;
  lb_check(L, lar_module_title(*out, title));
  lua_pushvalue(L, 4);
  lua_setiuservalue(L, -2, FIELDS);
  int n = (int)lua_rawlen(L, 2), self = lua_gettop(L);
  for (int i = 1; i <= n; i++) {
    lua_rawgeti(L, 2, i);
    add_slot(L, *out);
    lua_pop(L, 1);
  }
  for (int i = 0; i < k.nchild; i++) {
    push_child(L, self, *out, i);
    lua_pop(L, 1);
  }
  return 1;
}

/* ---- forward ---- */

static int module_forward(lua_State *L) {
  lar_module *m = lb_module(L, 1);
  lar_var *x = lb_tensor_test(L, 2);
  if (x == NULL)
    return luaL_error(L, "%s: the input must be a tensor, not %s", lar_module_name(m),
                      luaL_typename(L, 2));
  if (lua_gettop(L) > 2)
    return luaL_error(L, "%s: takes one input, not %d", lar_module_name(m), lua_gettop(L) - 1);
  lb_pressure(L);
  lb_enter(L);
  lar_var **out = lb_tensor_new(L);
  lar_scope s;
  lar_scope_init(&s);
  lar_var *y = lar_module_forward(m, &s, x);
  lar_status st = lar_scope_take(&s, y, out);
  lar_scope_clear(&s);
  lb_check(L, st);
  return 1;
}

static int module_train(lua_State *L) {
  lar_module_train(lb_module(L, 1), lua_isnoneornil(L, 2) || lua_toboolean(L, 2));
  lua_settop(L, 1);
  return 1;
}

static int module_eval(lua_State *L) {
  lar_module_train(lb_module(L, 1), false);
  lua_settop(L, 1);
  return 1;
}

static int module_to(lua_State *L) {
  lb_check(L, lar_module_to(lb_module(L, 1), lb_dtype(L, 2)));
  lua_settop(L, 1);
  return 1;
}

static int module_named(lua_State *L) {
  lar_module *m = lb_module(L, 1);
  lb_check(L, lar_module_label(m, luaL_optstring(L, 2, NULL)));
  lua_settop(L, 1);
  return 1;
}

/* output_shape(sizes): sizes of y for x of those sizes, the batch first; nil where it is not
 * known, and a size of -1 for one that is not. */
static int module_output_shape(lua_State *L) {
  lar_module *m = lb_module(L, 1);
  int64_t shape[LAR_MAX_NDIM] = {0};
  int ndim = LAR_UNKNOWN, last;
  if (!lua_isnoneornil(L, 2)) ndim = lb_shape(L, 2, shape, &last);
  lb_check(L, lar_module_shape(m, &ndim, shape));
  if (ndim == LAR_UNKNOWN) return lua_pushnil(L), 1;
  lua_createtable(L, ndim, 0);
  for (int d = 0; d < ndim; d++) {
    lua_pushinteger(L, shape[d]);
    lua_rawseti(L, -2, d + 1);
  }
  return 1;
}

/* ---- text ---- */

static void add_value(luaL_Buffer *b, const lar_module *m, const lar_param *p) {
  char text[64], quoted[80];
  double v = lar_param_get(p, m->self);
  if (p->kind == LAR_FLAG) {
    luaL_addstring(b, v != 0 ? "true" : "false");
    return;
  }
  if (p->choices != NULL && (p->kind == LAR_CHOICE || v < 0)) {
    lar_param_choice(p, (int)(p->kind == LAR_CHOICE ? v : -1 - v), text, sizeof text);
    (void)snprintf(quoted, sizeof quoted, "\"%s\"", text);
  } else {
    (void)snprintf(quoted, sizeof quoted, "%.6g", v);
  }
  luaL_addstring(b, quoted);
}

/* Is p one of those given by position? *sizes: as one of a list of sizes. */
static bool positional(const lar_module *m, const lar_param *p, bool *sizes) {
  const char *a = m->type->args;
  size_t stem = strcspn(p->name, "0123456789");
  for (; a != NULL && *a != '\0'; a += strspn(a, " ")) {
    size_t len = strcspn(a, " *");
    *sizes = a[len] == '*';
    if (len == (*sizes ? stem : strlen(p->name)) && strncmp(a, p->name, len) == 0) return true;
    a += len + *sizes;
  }
  return *sizes = false;
}

static int count_sizes(const lar_module *m) {
  bool sizes;
  int n = 0;
  for (const lar_param *p = m->type->params; p != NULL && p->name != NULL; p++)
    n += positional(m, p, &sizes) && sizes && lar_param_get(p, m->self) != 0;
  return n;
}

static void add_positional(luaL_Buffer *b, const lar_module *m) {
  bool sizes, open = false, many = count_sizes(m) > 1;
  const char *gap = "";
  for (const lar_param *p = m->type->params; p != NULL && p->name != NULL; p++) {
    if (!positional(m, p, &sizes) || (sizes && lar_param_get(p, m->self) == 0)) continue;
    luaL_addstring(b, gap);
    if (sizes && many && !open) luaL_addchar(b, '{');
    open = sizes && many;
    add_value(b, m, p);
    gap = ", ";
  }
  if (open) luaL_addchar(b, '}');
}

/* The other of a pair that options may give as {a, b}: `stride2` of `stride`; NULL if there is
 * none or it was not given. */
static const lar_param *second_of(const lar_module *m, const lar_param *p) {
  char name[32];
  (void)snprintf(name, sizeof name, "%s2", p->name);
  const lar_param *q = lar_param_find(m->type->params, name);
  return q == NULL || lar_param_get(q, m->self) == q->init ? NULL : q;
}

static bool is_second(const lar_module *m, const lar_param *p) {
  size_t n = strlen(p->name);
  for (const lar_param *q = m->type->params; q->name != NULL; q++)
    if (strlen(q->name) == n - 1 && strncmp(q->name, p->name, n - 1) == 0)
      return p->name[n - 1] == '2';
  return false;
}

static void add_option(luaL_Buffer *b, const lar_module *m, const lar_param *p) {
  const lar_param *q = second_of(m, p);
  luaL_addstring(b, p->name);
  luaL_addstring(b, q != NULL ? " = {" : " = ");
  add_value(b, m, p);
  if (q == NULL) return;
  luaL_addstring(b, ", ");
  add_value(b, m, q);
  luaL_addchar(b, '}');
}

static void add_named(luaL_Buffer *b, const lar_module *m) {
  bool sizes, open = false;
  bool first = m->type->args == NULL || m->type->args[0] == '\0';
  for (const lar_param *p = m->type->params; p != NULL && p->name != NULL; p++) {
    bool plain = lar_param_get(p, m->self) == p->init && second_of(m, p) == NULL;
    if (positional(m, p, &sizes) || plain || is_second(m, p)) continue;
    luaL_addstring(b, open ? ", " : first ? "{" : ", {");
    add_option(b, m, p);
    open = true;
  }
  if (open) luaL_addchar(b, '}');
}

/* signature(): "linear(784, 300, {bias = false})"; options at their defaults are left out. */
static int module_signature(lua_State *L) {
  const lar_module *m = lb_module(L, 1);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  luaL_addstring(&b, lar_module_name(m));
  luaL_addchar(&b, '(');
  add_positional(&b, m);
  add_named(&b, m);
  luaL_addchar(&b, ')');
  luaL_pushresult(&b);
  return 1;
}

/* ---- lists ---- */

#define LB_PARAMS "lariat.parameters"

typedef struct listing {
  lar_params p;
  int at;
} listing;

static int listing_gc(lua_State *L) {
  listing *l = luaL_checkudata(L, 1, LB_PARAMS);
  lar_params_clear(&l->p);
  return 0;
}

static int listing_next(lua_State *L) {
  listing *l = lua_touserdata(L, lua_upvalueindex(1));
  if (l->at >= l->p.n) return lua_pushnil(L), 1;
  const lar_pentry *e = &l->p.at[l->at++];
  lua_pushstring(L, e->name);
  lb_tensor_push(L, e->var);
  lua_pushstring(L, lar_pkind_name(e->kind));
  return 3;
}

static listing *push_listing(lua_State *L, bool buffers) {
  const lar_module *m = lb_module(L, 1);
  listing *l = lb_new(L, sizeof *l, LB_PARAMS);
  lb_check(L, buffers ? lar_module_buffers(m, &l->p) : lar_module_params(m, &l->p));
  return l;
}

static int module_parameters(lua_State *L) {
  (void)push_listing(L, false);
  lua_pushcclosure(L, listing_next, 1);
  return 1;
}

static int module_buffers(lua_State *L) {
  (void)push_listing(L, true);
  lua_pushcclosure(L, listing_next, 1);
  return 1;
}

static int find_listed(lua_State *L, bool buffers, const char *what) {
  const char *name = luaL_checkstring(L, 2);
  listing *l = push_listing(L, buffers);
  const lar_pentry *e = lar_params_find(&l->p, name);
  if (e == NULL)
    return luaL_error(L, "no %s '%s'; there are %s", what, name, lar_params_text(&l->p));
  lb_tensor_push(L, e->var);
  return 1;
}

static int module_parameter(lua_State *L) { return find_listed(L, false, "parameter"); }
static int module_buffer(lua_State *L) { return find_listed(L, true, "buffer"); }

static int children_next(lua_State *L) {
  char buf[16];
  lar_module *m = lb_module(L, lua_upvalueindex(1));
  int k = (int)lua_tointeger(L, lua_upvalueindex(2));
  if (k >= m->nchild) return lua_pushnil(L), 1;
  lua_pushinteger(L, k + 1);
  lua_replace(L, lua_upvalueindex(2));
  lua_pushstring(L, lar_module_child_name(m, k, buf));
  push_child(L, lua_upvalueindex(1), m, k);
  return 2;
}

static int module_children(lua_State *L) {
  (void)lb_module(L, 1);
  lua_settop(L, 1);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, children_next, 2);
  return 1;
}

/* ---- clone ---- */

/* Give `to`, a fresh copy of `from`, its objects: fields of layers written in Lua. */
static void clone_objects(lua_State *L, lar_module *from, lar_module *to) {
  lb_module_push(L, from);
  lb_module_push(L, to);
  if (lua_getiuservalue(L, -2, FIELDS) == LUA_TTABLE) {
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, -3) != 0;) {
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, -4);
    }
    lua_setiuservalue(L, -3, FIELDS);
  }
  lua_pop(L, 1);
  for (int k = 0; k < to->nchild; k++) {
    push_child(L, -1, to, k);
    lua_pop(L, 1);
    clone_objects(L, from->child[k], to->child[k]);
    lua_pop(L, 1);
  }
  lua_remove(L, -2);
}

static int module_clone(lua_State *L) {
  lar_module *m = lb_module(L, 1);
  lar_module **out = new_object(L);
  lb_check(L, lar_module_clone(out, m));
  enter_object(L, *out);
  clone_objects(L, m, *out);
  return 1;
}

/* ---- fields ---- */

static int push_param(lua_State *L, const lar_module *m, const lar_param *p) {
  char text[64];
  double v = lar_param_get(p, m->self);
  switch (p->kind) {
  case LAR_FLAG: lua_pushboolean(L, v != 0); break;
  case LAR_INTEGER: lua_pushinteger(L, (lua_Integer)v); break;
  case LAR_CHOICE:
    lar_param_choice(p, (int)v, text, sizeof text);
    lua_pushstring(L, text);
    break;
  default: lua_pushnumber(L, v);
  }
  return 1;
}

static int labelled(const lar_module *m, const char *name) {
  char buf[16];
  for (int k = 0; k < m->nchild; k++)
    if (strcmp(lar_module_child_name(m, k, buf), name) == 0) return k;
  return -1;
}

static int index_child(lua_State *L, lar_module *m) {
  int64_t k;
  lua_Integer i = lua_tointeger(L, 2);
  if (lar_index(i, m->nchild, &k) != LAR_OK) return lua_pushnil(L), 1;
  push_child(L, 1, m, (int)k);
  return 1;
}

static int index_named(lua_State *L, lar_module *m, const char *key) {
  if (strcmp(key, "training") == 0) return lua_pushboolean(L, m->training), 1;
  if (strcmp(key, "kind") == 0) return lua_pushstring(L, lar_module_name(m)), 1;
  if (strcmp(key, "label") == 0) return lua_pushstring(L, m->label), 1;
  lar_var *v = lar_module_slot(m, key);
  if (v != NULL) return lb_tensor_push(L, v), 1;
  int k = labelled(m, key);
  if (k >= 0) return push_child(L, 1, m, k), 1;
  if (m->call != NULL) {
    if (lua_getiuservalue(L, 1, FIELDS) != LUA_TTABLE) return lua_pushnil(L), 1;
    lua_pushvalue(L, 2);
    lua_rawget(L, -2);
    return 1;
  }
  const lar_param *p = lar_param_find(m->type->params, key);
  if (p != NULL) return push_param(L, m, p);
  return luaL_error(L, "%s has no '%s'", lar_module_name(m), key);
}

/* Upvalue 1: the methods. */
static int module_index(lua_State *L) {
  if (lua_type(L, 2) == LUA_TSTRING) {
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
    return index_named(L, lb_module(L, 1), lua_tostring(L, 2));
  }
  lar_module *m = lb_module(L, 1);
  if (lua_isinteger(L, 2)) return index_child(L, m);
  return luaL_error(L, "%s: a layer is named or numbered, not %s", lar_module_name(m),
                    luaL_typename(L, 2));
}

static int module_newindex(lua_State *L) {
  lar_module *m = lb_module(L, 1);
  const char *name = lar_module_name(m), *key = lua_tostring(L, 2);
  if (lua_type(L, 2) != LUA_TSTRING)
    return luaL_error(L, "%s: its layers are fixed; make another model of them", name);
  if (lar_module_slot(m, key) != NULL)
    return luaL_error(L, "%s: '%s' is a parameter or buffer; use copy_ to change it", name,
                      key);
  if (strcmp(key, "training") == 0)
    return luaL_error(L, "%s: use train() and eval() to change 'training'", name);
  if (m->call != NULL) {
    lua_getiuservalue(L, 1, FIELDS);
    lua_insert(L, 2);
    lua_rawset(L, 2);
    return 0;
  }
  const lar_param *p = lar_param_find(m->type->params, key);
  if (p == NULL) return luaL_error(L, "%s has no '%s' to set", name, key);
  if (p->kind == LAR_INTEGER || p->kind == LAR_FLAG)
    return luaL_error(L, "%s: '%s' is fixed when the layer is made", name, key);
  lb_param(L, 3, name, m->type->params, m->self, key);
  return 0;
}

static int module_len(lua_State *L) { return lua_pushinteger(L, lb_module(L, 1)->nchild), 1; }

/* Written in Lua: the method `describe`. */
static int module_tostring(lua_State *L) {
  lar_module *m = lb_module(L, 1);
  lua_pushliteral(L, "describe");
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TFUNCTION)
    return lua_pushfstring(L, "%s", lar_module_name(m)), 1;
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

/* ---- initialisers ---- */

/* Upvalue 1: the scheme. (tensor, numbers in order, options) */
static int init_fill(lua_State *L) {
  const lar_scheme *scheme = lua_touserdata(L, lua_upvalueindex(1));
  const lar_param *p = scheme->params;
  double self[LAR_SCHEME_PARAMS];
  lar_var *v = lb_tensor(L, 1);
  int top = lua_gettop(L);
  lar_param_default(p, self);
  for (int arg = 2; arg <= top; arg++) {
    if (lua_istable(L, arg) && arg == top) {
      lb_params(L, arg, scheme->name, scheme->params, self, NULL);
    } else if (p == NULL || p->name == NULL) {
      return luaL_error(L, "%s: argument %d is one too many", scheme->name, arg);
    } else {
      lb_param(L, arg, scheme->name, scheme->params, self, p->name);
      p++;
    }
  }
  lb_check(L, lar_var_writable(v, true));
  lb_check(L, lar_scheme_fill(scheme, self, &v->t));
  v->t.storage->version++;
  lua_settop(L, 1);
  return 1;
}

static int glob(lua_State *L) {
  lua_pushboolean(L, lar_glob(luaL_checkstring(L, 1), luaL_checkstring(L, 2)));
  return 1;
}

static int is_module(lua_State *L) {
  lua_pushboolean(L, luaL_testudata(L, 1, LB_MODULE) != NULL);
  return 1;
}

/* ---- opening ---- */

static const luaL_Reg methods[] = {
  {"forward", module_forward},
  {"train", module_train},
  {"eval", module_eval},
  {"to", module_to},
  {"named", module_named},
  {"clone", module_clone},
  {"parameters", module_parameters},
  {"parameter", module_parameter},
  {"buffers", module_buffers},
  {"buffer", module_buffer},
  {"children", module_children},
  {"output_shape", module_output_shape},
  {"signature", module_signature},
  {NULL, NULL},
};

static const luaL_Reg meta[] = {
  {"__gc", module_gc},   {"__call", module_forward},
  {"__len", module_len}, {"__newindex", module_newindex},
  {NULL, NULL},
};

static const luaL_Reg listing_meta[] = {{"__gc", listing_gc}, {NULL, NULL}};
static const luaL_Reg nothing[] = {{NULL, NULL}};

static void push_closure(lua_State *L, const void *p, lua_CFunction f) {
  lua_pushlightuserdata(L, (void *)(uintptr_t)p);
  lua_pushcclosure(L, f, 1);
}

static void open_class(lua_State *L) {
  luaL_newmetatable(L, LB_MODULE);
  luaL_setfuncs(L, meta, 0);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, "module_methods"); /* the Lua library adds its own */
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, module_index, 1);
  lua_setfield(L, -3, "__index");
  lua_pushcclosure(L, module_tostring, 1);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);
}

void lb_open_nn(lua_State *L) {
  open_class(L);
  lb_class(L, LB_PARAMS, nothing, listing_meta);
  lua_newtable(L);
  for (const lar_layer *const *p = lar_layers; *p != NULL; p++) {
    push_closure(L, *p, module_make);
    lua_setfield(L, -2, (*p)->name);
  }
  lua_setfield(L, -2, "layer");
  lua_newtable(L);
  for (const lar_scheme *p = lar_schemes; p->name != NULL; p++) {
    push_closure(L, p, init_fill);
    lua_setfield(L, -2, p->name);
  }
  lua_setfield(L, -2, "init");
  lua_pushcfunction(L, module_of_lua);
  lua_setfield(L, -2, "module");
  lua_pushcfunction(L, glob);
  lua_setfield(L, -2, "glob");
  lua_pushcfunction(L, is_module);
  lua_setfield(L, -2, "is_module");
}
