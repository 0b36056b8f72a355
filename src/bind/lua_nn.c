/* The module class: its objects, what they hold, and calling them. */
#include <stdio.h>
#include <string.h>

#include "bind/lb_module.h"
#include "nn/init.h"

static const char objects_key; /* its address names a weak table: module -> object */

/* ---- objects ---- */

lar_module **lb_module_object(lua_State *L) {
  lar_module **p = lua_newuserdatauv(L, sizeof *p, LB_MODULE_FIELDS);
  *p = NULL;
  luaL_setmetatable(L, LB_MODULE);
  return p;
}

/* From now on, pushing the module in the object on top gives that object. */
void lb_module_enter(lua_State *L, lar_module *m) {
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
    lar_module **p = lb_module_object(L);
    lb_module_enter(L, m);
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
void lb_module_child(lua_State *L, int parent, lar_module *m, int k) {
  parent = lua_absindex(L, parent);
  lb_module_push(L, m->child[k]);
  lb_anchor(L, parent, -1);
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
  lb_module_child(L, lua_upvalueindex(1), m, k);
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
  if (lua_getiuservalue(L, -2, LB_MODULE_FIELDS) == LUA_TTABLE) {
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, -3) != 0;) {
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, -4);
    }
    lua_setiuservalue(L, -3, LB_MODULE_FIELDS);
  }
  lua_pop(L, 1);
  for (int k = 0; k < to->nchild; k++) {
    lb_module_child(L, -1, to, k);
    lua_pop(L, 1);
    clone_objects(L, from->child[k], to->child[k]);
    lua_pop(L, 1);
  }
  lua_remove(L, -2);
}

static int module_clone(lua_State *L) {
  lar_module *m = lb_module(L, 1);
  lar_module **out = lb_module_object(L);
  lb_check(L, lar_module_clone(out, m));
  lb_module_enter(L, *out);
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
  lb_module_child(L, 1, m, (int)k);
  return 1;
}

static int index_named(lua_State *L, lar_module *m, const char *key) {
  if (strcmp(key, "training") == 0) return lua_pushboolean(L, m->training), 1;
  if (strcmp(key, "kind") == 0) return lua_pushstring(L, lar_module_name(m)), 1;
  if (strcmp(key, "label") == 0) return lua_pushstring(L, m->label), 1;
  lar_var *v = lar_module_slot(m, key);
  if (v != NULL) return lb_tensor_push(L, v), 1;
  int k = labelled(m, key);
  if (k >= 0) return lb_module_child(L, 1, m, k), 1;
  if (m->call != NULL) {
    if (lua_getiuservalue(L, 1, LB_MODULE_FIELDS) != LUA_TTABLE) return lua_pushnil(L), 1;
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
    lua_getiuservalue(L, 1, LB_MODULE_FIELDS);
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
  {"signature", lb_module_signature},
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
    push_closure(L, *p, lb_module_make);
    lua_setfield(L, -2, (*p)->name);
  }
  lua_setfield(L, -2, "layer");
  lua_newtable(L);
  for (const lar_scheme *p = lar_schemes; p->name != NULL; p++) {
    push_closure(L, p, init_fill);
    lua_setfield(L, -2, p->name);
  }
  lua_setfield(L, -2, "init");
  lua_pushcfunction(L, lb_module_of_lua);
  lua_setfield(L, -2, "module");
  lua_pushcfunction(L, glob);
  lua_setfield(L, -2, "glob");
  lua_pushcfunction(L, is_module);
  lua_setfield(L, -2, "is_module");
}
