/* Penalties: built-in ones by name and options, ones written in Lua, and their algebra. */
#include <string.h>

#include "bind/lb_forward.h"
#include "bind/lb_model.h"
#include "bind/lb_optim.h"
#include "core/mem.h"
#include "kern/copy.h"

#define LB_PARAMS "lariat.params"

static lar_reg **penalty_new(lua_State *L) { return lb_new(L, sizeof(lar_reg *), LB_PENALTY); }

static lar_reg *checked(lua_State *L, int arg) {
  lar_reg **p = luaL_checkudata(L, arg, LB_PENALTY);
  if (*p == NULL) luaL_error(L, "this penalty has been closed");
  return *p;
}

lar_reg *lb_reg(lua_State *L, int arg) {
  return lua_isnoneornil(L, arg) ? NULL : checked(L, arg);
}

static int penalty_gc(lua_State *L) {
  lar_reg **p = luaL_checkudata(L, 1, LB_PENALTY);
  lar_reg_unref(*p);
  *p = NULL;
  return 0;
}

/* ---- parameters of anything ---- */

static int params_gc(lua_State *L) {
  lar_params_clear(luaL_checkudata(L, 1, LB_PARAMS));
  return 0;
}

static lar_pkind kind_of(const char *name) {
  const char *dot = strrchr(name, '.');
  lar_pkind k = lar_pkind_find(dot != NULL ? dot + 1 : name);
  return k == LAR_NPKIND ? LAR_WEIGHT : k;
}

static void add_tensors(lua_State *L, int arg, lar_params *p) {
  for (int k = 1; k <= (int)lua_rawlen(L, arg); k++) {
    lua_rawgeti(L, arg, k);
    lar_var *v = lb_tensor_test(L, -1);
    if (v == NULL)
      luaL_error(L, "item %d of the list is a %s, not a tensor", k, luaL_typename(L, -1));
    lb_check(L, lar_params_add(p, lua_pushfstring(L, "%d", k), v, LAR_WEIGHT));
    lua_pop(L, 2);
  }
}

/* Names of a table have no order of their own: they are sorted. */
static void add_named(lua_State *L, int arg, lar_params *p) {
  lua_newtable(L);
  int names = lua_gettop(L), n = 0;
  for (lua_pushnil(L); lua_next(L, arg); lua_pop(L, 1))
    if (lua_type(L, -2) == LUA_TSTRING) {
      lua_pushvalue(L, -2);
      lua_rawseti(L, names, ++n);
    }
  lua_getglobal(L, "table");
  lua_getfield(L, -1, "sort");
  lua_pushvalue(L, names);
  lua_call(L, 1, 0);
  for (int k = 1; k <= n; k++) {
    lua_rawgeti(L, names, k);
    lua_pushvalue(L, -1);
    lua_gettable(L, arg);
    lar_var *v = lb_tensor_test(L, -1);
    const char *name = lua_tostring(L, -2);
    if (v == NULL) luaL_error(L, "'%s' is a %s, not a tensor", name, luaL_typename(L, -1));
    lb_check(L, lar_params_add(p, name, v, kind_of(name)));
    lua_pop(L, 2);
  }
}

const lar_params *lb_params_of(lua_State *L, int arg) {
  arg = lua_absindex(L, arg);
  lar_params *p = lb_new(L, sizeof *p, LB_PARAMS);
  int top = lua_gettop(L);
  lar_module *m = lb_module_test(L, arg);
  lar_var *v = m == NULL ? lb_tensor_test(L, arg) : NULL;
  if (m != NULL)
    lb_check(L, lar_module_params(m, p));
  else if (v != NULL)
    lb_check(L, lar_params_add(p, "tensor", v, LAR_WEIGHT));
  else if (lua_istable(L, arg)) {
    add_tensors(L, arg, p);
    add_named(L, arg, p);
  } else
    luaL_typeerror(L, arg, "model, tensor or list of tensors");
  lua_settop(L, top);
  return p;
}

/* ---- functions from Lua ---- */

/* What a protected call works on. */
typedef struct request {
  void *key; /* of the anchored function or table */
  double l, step;
  const char *name;
  lar_var *var;
  const lar_tensor *w, *metric;
  lb_state *state;
} request;

static lar_status protected_call(lua_CFunction f, request *r) {
  lua_State *L = lb_current();
  if (!lua_checkstack(L, 8)) return lar_fail(LAR_ENOMEM, "penalty: the Lua stack is full");
  lua_pushcfunction(L, f);
  lua_pushlightuserdata(L, r);
  if (r->state != NULL && r->state->L == L)
    lua_pushvalue(L, r->state->index);
  else
    lua_pushnil(L);
  return lb_call(L, 2, 1);
}

static int call_lambda(lua_State *L) {
  request *r = lua_touserdata(L, 1);
  lb_push_anchored(L, r->key);
  lua_pushvalue(L, 2);
  if (lua_isnil(L, 2)) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushinteger(L, 0);
    lua_setfield(L, -2, "step");
    lua_pushinteger(L, 0);
    lua_setfield(L, -2, "epoch");
  }
  lua_call(L, 1, 1);
  if (lua_type(L, -1) != LUA_TNUMBER)
    return luaL_error(L, "penalty: a lambda function returned a %s, not a number",
                      luaL_typename(L, -1));
  r->l = lua_tonumber(L, -1);
  return 1;
}

static lar_status lambda_fn(void *ctx, void *state, double *out) {
  request r = {.key = ctx, .state = state};
  lar_status st = protected_call(call_lambda, &r);
  if (st == LAR_OK) lua_pop(lb_current(), 1);
  *out = r.l;
  return st;
}

static int call_match(lua_State *L) {
  request *r = lua_touserdata(L, 1);
  lb_push_anchored(L, r->key);
  lua_pushstring(L, r->name);
  lb_tensor_push(L, r->var);
  lua_call(L, 2, 1);
  return 1;
}

static lar_status match(void *ctx, const lar_pentry *p, bool *yes) {
  request r = {.key = ctx, .name = p->name, .var = p->var};
  LAR_TRY(protected_call(call_match, &r));
  *yes = lua_toboolean(lb_current(), -1);
  lua_pop(lb_current(), 1);
  return LAR_OK;
}

/* Push the function `field` of the anchored table, and the table with lambda set. */
static void push_method(lua_State *L, const request *r, const char *field) {
  lb_push_anchored(L, r->key);
  lua_pushnumber(L, r->l);
  lua_setfield(L, -2, "lambda");
  lua_getfield(L, -1, field);
  lua_insert(L, -2);
}

static const char *spec_name(lua_State *L, const request *r) {
  lb_push_anchored(L, r->key);
  lua_getfield(L, -1, "name");
  return lua_tostring(L, -1);
}

static int call_value(lua_State *L) {
  request *r = lua_touserdata(L, 1);
  push_method(L, r, "value");
  lb_tensor_push(L, r->var);
  lua_call(L, 2, 1);
  lar_var *v = lua_type(L, -1) == LUA_TNUMBER ? lb_tensor_from(L, -1, r->var->t.dtype)
                                              : lb_tensor_test(L, -1);
  if (v == NULL || lar_tensor_numel(&v->t) != 1) {
    const char *what = v == NULL ? luaL_typename(L, -1) : lar_tensor_text(&v->t);
    return luaL_error(L, "penalty %s: value returned %s %s, not one number", spec_name(L, r),
                      v == NULL ? "a" : "a tensor of shape", what);
  }
  return 1;
}

static lar_status value_fn(void *ctx, double l, lar_var *w, lar_var **out) {
  request r = {.key = ctx, .l = l, .var = w};
  *out = NULL;
  LAR_TRY(protected_call(call_value, &r));
  *out = lar_var_ref(lb_tensor_test(lb_current(), -1));
  lua_pop(lb_current(), 1);
  return LAR_OK;
}

/* Pushes step times metric as a tensor. */
static void push_steps(lua_State *L, const request *r) {
  lar_var **p = lb_tensor_new(L);
  lar_tensor t = {0};
  lb_check(L, lar_clone(&t, r->metric, r->metric->dtype));
  lar_status st = lar_var_new(p, &t);
  lar_tensor_clear(&t);
  lb_check(L, st);
  for (int64_t i = 0, n = lar_tensor_numel(&(*p)->t); i < n; i++)
    lar_tensor_put(&(*p)->t, i, r->step * lar_tensor_get(&(*p)->t, i));
}

static int call_prox(lua_State *L) {
  request *r = lua_touserdata(L, 1);
  push_method(L, r, "prox");
  lb_check(L, lar_var_new(lb_tensor_new(L), r->w));
  if (r->metric != NULL)
    push_steps(L, r);
  else
    lua_pushnumber(L, r->step);
  lua_call(L, 3, 1);
  lar_var *u = lb_tensor_test(L, -1);
  const char *type = luaL_typename(L, -1);
  if (u == NULL)
    return luaL_error(L, "penalty %s: prox returned a %s, not a tensor", spec_name(L, r), type);
  if (!lar_tensor_same_shape(&u->t, r->w))
    return luaL_error(L, "penalty %s: prox returned shape %s for a tensor of shape %s",
                      spec_name(L, r), lar_tensor_text(&u->t), lar_tensor_text(r->w));
  return 1;
}

/* The function's step is that of its own Omega: step times lambda. */
static lar_status prox_fn(void *ctx, double l, const lar_tensor *w, double step,
                          const lar_tensor *metric) {
  request r = {.key = ctx, .l = l, .w = w, .step = step * l, .metric = metric};
  bool former = lar_grad_mode(false);
  lar_status st = protected_call(call_prox, &r);
  lar_grad_mode(former);
  if (st != LAR_OK) return st;
  const lar_tensor *u = &lb_tensor_test(lb_current(), -1)->t;
  lar_tensor own = {0};
  if (lar_overlap(u, w)) st = lar_clone(&own, u, w->dtype);
  if (st == LAR_OK) st = lar_copy(w, own.storage != NULL ? &own : u);
  lar_tensor_clear(&own);
  lua_pop(lb_current(), 1);
  return st;
}

/* ---- making terms ---- */

/* Push an empty penalty object holding a fresh term; the term is borrowed from it. */
static lar_term *push_term(lua_State *L, const lar_penalty *type, const char *name) {
  lar_reg **p = penalty_new(L);
  lar_term *t;
  lb_check(L, lar_term_new(&t, type, name));
  lar_status st = lar_reg_of(p, t);
  lar_term_unref(t);
  lb_check(L, st);
  return (*p)->at[0].term;
}

/* lambda = number or function, from the field of the table at `arg`. */
static void read_lambda(lua_State *L, int arg, int owner, lar_term *t) {
  int type = lua_getfield(L, arg, "lambda");
  if (type == LUA_TFUNCTION) {
    t->lambda_ctx = lb_anchor(L, owner, -1);
    t->lambda_fn = lambda_fn;
  } else if (type == LUA_TNUMBER) {
    t->lambda = lua_tonumber(L, -1);
    if (!(t->lambda >= 0 && t->lambda < HUGE_VAL))
      luaL_error(L, "%s: lambda = %f; it must be finite and not negative", t->name, t->lambda);
  } else if (type != LUA_TNIL) {
    luaL_error(L, "%s: lambda must be a number or a function, not a %s", t->name,
               lua_typename(L, type));
  }
  lua_pop(L, 1);
}

static void read_mode(lua_State *L, int arg, lar_term *t) {
  if (lua_getfield(L, arg, "mode") != LUA_TNIL) {
    const char *mode = luaL_checkstring(L, -1);
    bool sub = strcmp(mode, "subgradient") == 0;
    if (!sub && strcmp(mode, "proximal") != 0)
      luaL_error(L, "%s: mode = '%s' must be \"proximal\" or \"subgradient\"", t->name, mode);
    if (sub && (t->type->traits & LAR_CONSTRAINT))
      luaL_error(L, "%s: a constraint has no subgradient mode", t->name);
    if (sub && (t->type->traits & LAR_FLAT))
      luaL_error(L, "%s: its gradient is 0, so subgradient mode would do nothing", t->name);
    t->mode = sub ? LAR_SUBGRADIENT : LAR_PROXIMAL;
  }
  lua_pop(L, 1);
}

static void read_weights(lua_State *L, int arg, lar_term *t) {
  if (lua_getfield(L, arg, "weights") != LUA_TNIL) {
    lar_var *v = lb_tensor_from(L, -1, LAR_F64);
    lar_tensor own = {0};
    lb_check(L, lar_clone(&own, &v->t, LAR_F64));
    lar_status st = lar_var_new(&t->weights, &own);
    lar_tensor_clear(&own);
    lb_check(L, st);
    const double *w = lar_tensor_data(&t->weights->t);
    for (int64_t j = 0, n = lar_tensor_numel(&t->weights->t); j < n; j++)
      if (!(w[j] >= 0))
        luaL_error(L, "%s: weight %f at position %d is negative or not a number", t->name, w[j],
                   (int)j + 1);
      else if ((t->type->traits & LAR_RANKED) &&
               (w[j] == HUGE_VAL || (j > 0 && w[j] > w[j - 1])))
        luaL_error(L, "%s: weights of ranks fall and are finite; %f is at position %d", t->name,
                   w[j], (int)j + 1);
  }
}

/* A fresh int64 vector, owned by *out. */
static int64_t *integers(lua_State *L, lar_var **out, int64_t n) {
  lb_check(L, lar_var_init(out, LAR_I64, 1, &n));
  return lar_tensor_data(&(*out)->t);
}

static int64_t list_length(lua_State *L, const lar_term *t, int at) {
  int64_t total = 0;
  for (int k = 1; k <= (int)lua_rawlen(L, at); k++) {
    if (lua_rawgeti(L, at, k) != LUA_TTABLE)
      luaL_error(L, "%s: group %d is a %s, not a list of positions", t->name, k,
                 luaL_typename(L, -1));
    if (lua_rawlen(L, -1) == 0) luaL_error(L, "%s: group %d is empty", t->name, k);
    total += (int64_t)lua_rawlen(L, -1);
    lua_pop(L, 1);
  }
  return total;
}

static void read_lists(lua_State *L, int at, lar_term *t) {
  int64_t n = (int64_t)lua_rawlen(L, at), total = list_length(L, t, at), filled = 0;
  int64_t *size = integers(L, &t->sizes, n), *list = integers(L, &t->list, total);
  for (int64_t k = 0; k < n; k++) {
    lua_rawgeti(L, at, k + 1);
    size[k] = (int64_t)lua_rawlen(L, -1);
    for (int64_t i = 1; i <= size[k]; i++) {
      int exact;
      lua_rawgeti(L, -1, i);
      list[filled++] = lua_tointegerx(L, -1, &exact);
      if (!exact)
        luaL_error(L, "%s: group %d holds a %s, not a position", t->name, (int)k + 1,
                   luaL_typename(L, -1));
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
  }
}

static void read_ids(lua_State *L, int at, lar_term *t) {
  lar_var *v = lb_tensor(L, at);
  lar_tensor own = {0};
  if (v->t.dtype != LAR_I64)
    luaL_error(L, "%s: group ids are int64, not %s", t->name, lar_dtype_name(v->t.dtype));
  lb_check(L, lar_clone(&own, &v->t, LAR_I64));
  lar_status st = lar_var_new(&t->ids, &own);
  lar_tensor_clear(&own);
  lb_check(L, st);
}

static void read_groups(lua_State *L, int arg, lar_term *t) {
  if (lua_getfield(L, arg, "by") != LUA_TNIL) {
    lar_groups g;
    lar_tensor probe = {.ndim = 2};
    const char *by = luaL_checkstring(L, -1);
    lar_status st = LAR_OK;
    if ((t->type->traits & LAR_GRAPH) != 0) {
      probe.shape[0] = probe.shape[1] = 0;
      st = lar_groups_graph(&g, by, &probe);
      lar_groups_clear(&g);
    } else {
      st = lar_groups_by(&g, by, &probe);
    }
    if (st != LAR_OK) luaL_error(L, "%s: %s", t->name, lar_why());
    lar_free(t->by);
    lb_check(L, lar_strdup(&t->by, by));
  }
  lua_pop(L, 1);
  int type = lua_getfield(L, arg, "groups");
  if (type == LUA_TTABLE)
    read_lists(L, lua_gettop(L), t);
  else if (type != LUA_TNIL)
    read_ids(L, lua_gettop(L), t);
  lua_pop(L, 1);
}

static int given_gc(lua_State *L) {
  lar_given **p = lua_touserdata(L, 1);
  lar_given_unref(*p);
  *p = NULL;
  return 0;
}

/* Copies of what the field holds: a model, a table of tensors by name, a tensor or a number. */
static lar_given *read_given(lua_State *L, int arg, const lar_term *t, const char *field) {
  lar_given **out = lb_new(L, sizeof *out, "lariat.given");
  int type = lua_getfield(L, arg, field), at = lua_gettop(L);
  if (type == LUA_TNIL)
    luaL_error(L, "%s: %s is missing: a model, a table name -> tensor, a tensor or a number",
               t->name, field);
  if (type == LUA_TNUMBER) (void)lb_tensor_from(L, at, LAR_F64), lua_replace(L, at);
  const lar_params *from = lb_params_of(L, at);
  lb_check(L, lar_given_new(out, from, lb_tensor_test(L, at) != NULL));
  return lar_given_ref(*out);
}

static void read_all_given(lua_State *L, int arg, lar_term *t) {
  int top = lua_gettop(L);
  if (t->type->traits & LAR_TOWARDS) t->towards = read_given(L, arg, t, "towards");
  if (t->type->traits & LAR_FISHER) {
    t->fisher = read_given(L, arg, t, "fisher");
    for (int k = 0; k < t->fisher->p.n; k++) {
      const lar_pentry *e = &t->fisher->p.at[k];
      for (int64_t i = 0, n = lar_tensor_numel(&e->var->t); i < n; i++)
        if (!(lar_tensor_get(&e->var->t, i) >= 0))
          luaL_error(L, "%s: fisher of '%s' is negative or not a number at position %d",
                     t->name, e->name, (int)i + 1);
    }
  }
  lua_settop(L, top);
}

static const lar_penalty *find(lua_State *L, const char *name) {
  const lar_penalty *type = lar_penalty_find(name);
  if (type == NULL) luaL_error(L, "penalty: there is no '%s'", name);
  return type;
}

enum { WEIGHTED = LAR_SEPARABLE | LAR_RANKED | LAR_RADIAL | LAR_GRAPH };

/* make(name, options) -> penalty */
static int make(lua_State *L) {
  const lar_penalty *type = find(L, luaL_checkstring(L, 1));
  const char *known[10];
  size_t n = 0;
  lua_settop(L, 2);
  if (!(type->traits & LAR_CONSTRAINT)) known[n++] = "lambda", known[n++] = "mode";
  if (type->traits & LAR_GROUPED) known[n++] = "by", known[n++] = "groups";
  bool weighted =
    (type->traits & WEIGHTED) != 0 && (type->traits & (LAR_CONSTRAINT | LAR_SOFT)) == 0;
  if (weighted) known[n++] = "weights";
  if (type->traits & LAR_TOWARDS) known[n++] = "towards";
  if (type->traits & LAR_FISHER) known[n++] = "fisher";
  known[n] = NULL;
  lar_term *t = push_term(L, type, type->name);
  if (lua_isnil(L, 2)) lua_newtable(L), lua_replace(L, 2);
  lb_params(L, 2, type->name, type->params, t->self, known);
  if (type->check != NULL) lb_check(L, type->check(t->self));
  if (!(type->traits & LAR_CONSTRAINT)) {
    read_lambda(L, 2, 3, t);
    read_mode(L, 2, t);
  }
  if (weighted) read_weights(L, 2, t);
  if (type->traits & LAR_GROUPED) read_groups(L, 2, t);
  read_all_given(L, 2, t);
  lua_settop(L, 3);
  return 1;
}

/* (number [, number or options]) at 1 and 2 become one table of options at 1; upvalues 2 and 3
 * are the options that the numbers are. */
static void gather(lua_State *L) {
  lua_newtable(L);
  if (lua_istable(L, 2))
    for (lua_pushnil(L); lua_next(L, 2);) {
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, 3);
    }
  else if (!lua_isnil(L, 2)) {
    if (lua_isnil(L, lua_upvalueindex(3)))
      luaL_error(L, "%s: the second argument is a table of options, not a %s",
                 lua_tostring(L, lua_upvalueindex(1)), luaL_typename(L, 2));
    lua_pushvalue(L, 2);
    lua_setfield(L, 3, lua_tostring(L, lua_upvalueindex(3)));
  }
  lua_pushvalue(L, 1);
  lua_setfield(L, 3, lua_tostring(L, lua_upvalueindex(2)));
  lua_replace(L, 1);
}

/* A penalty of the kind named in upvalue 1. */
static int construct(lua_State *L) {
  int type = lua_type(L, 1);
  lua_settop(L, 2);
  if (type == LUA_TNUMBER || type == LUA_TFUNCTION)
    gather(L);
  else if (type != LUA_TNIL && type != LUA_TNONE && type != LUA_TTABLE)
    return luaL_error(L, "%s: expects a number or a table of options, not a %s",
                      lua_tostring(L, lua_upvalueindex(1)), lua_typename(L, type));
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  return make(L);
}

/* constructor(name, first, second or nil) */
static int constructor(lua_State *L) {
  (void)find(L, luaL_checkstring(L, 1));
  (void)luaL_checkstring(L, 2);
  lua_settop(L, 3);
  lua_pushcclosure(L, construct, 3);
  return 1;
}

/* custom(spec): a penalty written in Lua; the table is kept as its self */
static int custom(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_getfield(L, 1, "name");
  lar_term *t = push_term(L, NULL, luaL_checkstring(L, 2));
  t->ctx = lb_anchor(L, 3, 1);
  t->value_fn = value_fn;
  if (lua_getfield(L, 1, "prox") != LUA_TNIL) t->prox_fn = prox_fn;
  t->separable = lb_opt_flag(L, 1, "separable", false);
  read_lambda(L, 1, 3, t);
  if (lua_getfield(L, 1, "formula") != LUA_TNIL)
    lb_check(L, lar_strdup(&t->formula, luaL_checkstring(L, -1)));
  lua_settop(L, 3);
  return 1;
}

/* ---- algebra ---- */

static int penalty_mul(lua_State *L) {
  int at = lua_type(L, 1) == LUA_TNUMBER ? 2 : 1;
  if (lua_type(L, 3 - at) != LUA_TNUMBER)
    return luaL_error(L, "a penalty is multiplied by a number, not by a %s",
                      luaL_typename(L, 3 - at));
  lar_reg *r = checked(L, at);
  lb_check(L, lar_reg_scale(penalty_new(L), r, lua_tonumber(L, 3 - at)));
  lb_anchor_all(L, -1, at);
  return 1;
}

static int penalty_div(lua_State *L) {
  if (lua_type(L, 2) != LUA_TNUMBER)
    return luaL_error(L, "a penalty is divided by a number, not by a %s", luaL_typename(L, 2));
  lar_reg *r = checked(L, 1);
  lb_check(L, lar_reg_scale(penalty_new(L), r, 1 / lua_tonumber(L, 2)));
  lb_anchor_all(L, -1, 1);
  return 1;
}

static int penalty_add(lua_State *L) {
  for (int k = 1; k <= 2; k++)
    if (luaL_testudata(L, k, LB_PENALTY) == NULL)
      return luaL_error(L, "a penalty is added to a penalty, not to a %s", luaL_typename(L, k));
  lar_reg *a = checked(L, 1), *b = checked(L, 2);
  lb_check(L, lar_reg_add(penalty_new(L), a, b));
  lb_anchor_all(L, -1, 1);
  lb_anchor_all(L, -1, 2);
  return 1;
}

/* Push a lar_on that lives in a userdata until the penalty has it. */
static int on_gc(lua_State *L) {
  lar_on **p = lua_touserdata(L, 1);
  lar_on_unref(*p);
  *p = NULL;
  return 0;
}

/* The strings at `first`.. or in one list there, as an array that the pushed block owns. */
static int read_names(lua_State *L, int first, const char ***names) {
  int top = lua_gettop(L),
      n = lua_istable(L, first) ? (int)lua_rawlen(L, first) : top - first + 1;
  if (n < 1) luaL_error(L, "on: say where: a name or glob, a list of them, a kind, a function");
  *names = lua_newuserdatauv(L, (size_t)n * sizeof **names, 0);
  for (int k = 0; k < n; k++) {
    if (lua_istable(L, first))
      lua_rawgeti(L, first, k + 1);
    else
      lua_pushvalue(L, first + k);
    if (lua_type(L, -1) != LUA_TSTRING)
      luaL_error(L, "on: names and kinds are strings; found a %s", luaL_typename(L, -1));
    (*names)[k] = lua_tostring(L, -1); /* kept alive by the list or the stack */
    lua_pop(L, 1);
  }
  return n;
}

/* reg:on(name or glob or kind, ...), :on{...}, :on(function(name, tensor)) */
static int penalty_on(lua_State *L) {
  lar_reg *r = checked(L, 1);
  const char **names = NULL;
  int n = 0;
  bool fn = lua_isfunction(L, 2);
  if (!fn) n = read_names(L, 2, &names);
  lar_on **on = lb_new(L, sizeof *on, "lariat.on");
  lb_check(L, lar_on_new(on, n, names));
  lb_check(L, lar_reg_on(penalty_new(L), r, *on));
  lb_anchor_all(L, -1, 1);
  if (fn) {
    (*on)->ctx = lb_anchor(L, -1, 2);
    (*on)->match = match;
  }
  return 1;
}

/* ---- values ---- */

static bool is_model(lua_State *L, int arg) { return lb_tensor_test(L, arg) == NULL; }

static lar_status bind_to(lua_State *L, lar_bound **b, lar_reg *r, int arg,
                          const lar_params *p) {
  lar_status st = (is_model(L, arg) ? lar_reg_bind : lar_reg_bind_all)(b, r, p);
  return st == LAR_OK ? lar_bound_refresh(*b, NULL) : st;
}

/* Push the values of all terms, and give their sum. */
static double values(lua_State *L, double **each) {
  lar_reg *r = checked(L, 1);
  lar_bound *b = NULL;
  double total = 0;
  luaL_checkany(L, 2);
  lua_settop(L, 5);
  if (lb_is_forward(r)) lb_forward_check(L);
  lb_enter(L);
  const lar_params *p = lb_params_of(L, 2);
  *each = lua_newuserdatauv(L, ((size_t)r->n + 1) * sizeof **each, 0);
  lar_status st = bind_to(L, &b, r, 2, p);
  if (st == LAR_OK) st = lar_bound_values(b, *each, &total);
  if (st == LAR_OK && lb_is_forward(r)) st = lb_forward_values(L, b, p, *each, &total);
  lar_bound_free(b);
  lb_check(L, st);
  return total;
}

static int penalty_value(lua_State *L) {
  double *each;
  return lua_pushnumber(L, values(L, &each)), 1;
}

static int penalty_terms(lua_State *L) {
  double *each;
  char name[64];
  (void)values(L, &each);
  const lar_reg *r = checked(L, 1);
  lua_createtable(L, 0, r->n);
  for (int k = 0; k < r->n; k++) {
    lua_pushnumber(L, each[k]);
    lua_setfield(L, -2, lar_reg_name(r, k, name));
  }
  return 1;
}

/* A fresh float tensor with the values (or zeros) of the one at `arg`, pushed. */
static lar_var *push_copy(lua_State *L, int arg, bool zeros) {
  lar_var *v = lb_tensor(L, arg), **p = lb_tensor_new(L);
  lar_tensor t = {0};
  lb_check(L, lar_clone(&t, &v->t, v->t.dtype));
  lar_status st = lar_var_new(p, &t);
  lar_tensor_clear(&t);
  lb_check(L, st);
  if (zeros) lar_fill(&(*p)->t, 0);
  return *p;
}

/* reg:prox(w, step) -> the prox at w; step is a number, or a tensor of steps */
static int run_prox(lua_State *L, bool in_place) {
  lar_reg *r = checked(L, 1);
  lar_var *w = lb_tensor(L, 2), *steps = lb_tensor_test(L, 3);
  lar_bound *b = NULL;
  lar_tensor metric = {0};
  double step = steps != NULL ? 1 : luaL_checknumber(L, 3);
  lb_enter(L);
  if (steps == NULL && !(step > 0 && step < HUGE_VAL))
    return luaL_error(L, "prox: step = %f; it must be above 0", step);
  if (steps != NULL && !lar_tensor_same_shape(&steps->t, &w->t))
    return luaL_error(L, "prox: steps of shape %s for a tensor of shape %s",
                      lar_tensor_text(&steps->t), lar_tensor_text(&w->t));
  lua_settop(L, 3);
  if (in_place) {
    lb_check(L, lar_var_writable(w, false));
    lua_pushvalue(L, 2);
  } else {
    (void)push_copy(L, 2, false);
  }
  const lar_params *p = lb_params_of(L, 4);
  lar_status st = lar_reg_bind_all(&b, r, p);
  if (st == LAR_OK && steps != NULL) st = lar_contiguous(&metric, &steps->t, w->t.dtype);
  if (st == LAR_OK) st = lar_bound_prox_all(b, 0, step, steps != NULL ? &metric : NULL);
  lar_tensor_clear(&metric);
  lar_bound_free(b);
  lb_check(L, st);
  lua_settop(L, 4);
  return 1;
}

static int penalty_prox(lua_State *L) { return run_prox(L, false); }

/* reg:prox_(w, step) -> w, which it overwrites */
static int penalty_prox_in(lua_State *L) { return run_prox(L, true); }

/* The tensor at `arg`, to which a gradient at w is added. */
static lar_var *gradient_at(lua_State *L, int arg, const lar_var *w) {
  lar_var *g = lb_tensor(L, arg);
  if (g->t.dtype != w->t.dtype || !lar_tensor_same_shape(&g->t, &w->t) ||
      !lar_tensor_is_contiguous(&g->t))
    luaL_error(L, "gradient: the tensor to add to must be contiguous, %s %s, not %s %s",
               lar_dtype_name(w->t.dtype), lar_tensor_text(&w->t), lar_dtype_name(g->t.dtype),
               lar_tensor_text(&g->t));
  lb_check(L, lar_var_writable(g, false));
  g->t.storage->version++;
  return g;
}

/* reg:gradient(w [, g]) -> a (sub)gradient of all terms at w, 0 taken at kinks; added to g */
static int penalty_gradient(lua_State *L) {
  lar_reg *r = checked(L, 1);
  lar_bound *b = NULL;
  const lar_var *w = lb_tensor(L, 2);
  bool add = !lua_isnoneornil(L, 3);
  lua_settop(L, add ? 3 : 2);
  lb_enter(L);
  lar_var *g = add ? gradient_at(L, 3, w) : push_copy(L, 2, true);
  const lar_params *p = lb_params_of(L, 2);
  lar_status st = lar_reg_bind_all(&b, r, p);
  if (st == LAR_OK) st = lar_bound_grad_all(b, 0, &g->t);
  lar_bound_free(b);
  lb_check(L, st);
  lua_settop(L, 3);
  return 1;
}

/* reg:lambda_max(g) -> the least strength of a single term that holds w = 0 where the loss has
 * the gradient g */
static int penalty_lambda_max(lua_State *L) {
  lar_reg *r = checked(L, 1);
  lar_bound *b = NULL;
  double l = 0;
  (void)lb_tensor(L, 2);
  lua_settop(L, 2);
  lb_enter(L);
  if (r->n != 1) return luaL_error(L, "lambda_max: this is a sum of %d terms; ask each", r->n);
  const lar_params *p = lb_params_of(L, 2);
  lar_status st = lar_reg_bind_all(&b, r, p);
  if (st == LAR_OK) st = lar_bound_max(b, 0, &l);
  lar_bound_free(b);
  lb_check(L, st);
  return lua_pushnumber(L, l), 1;
}

/* Strength of addend k, its function called with a state of step 0. */
static double strength(lua_State *L, const lar_reg *r, int k) {
  const lar_term *t = r->at[k].term;
  double l = t->lambda;
  if (t->type != NULL && (t->type->traits & LAR_CONSTRAINT)) return 1;
  if (t->lambda_fn != NULL) lb_check(L, t->lambda_fn(t->lambda_ctx, NULL, &l));
  return l * r->at[k].scale;
}

/* reg:lambda() -> the strength; of a sum, a table name -> strength */
static int penalty_lambda(lua_State *L) {
  lar_reg *r = checked(L, 1);
  char name[64];
  lb_enter(L);
  if (r->n == 1) return lua_pushnumber(L, strength(L, r, 0)), 1;
  lua_createtable(L, 0, r->n);
  for (int k = 0; k < r->n; k++) {
    lua_pushnumber(L, strength(L, r, k));
    lua_setfield(L, -2, lar_reg_name(r, k, name));
  }
  return 1;
}

/* Scalar slots of a single separable term, for curves and specs: name, then numbers. */
static int penalty_scalar(lua_State *L) {
  lar_reg *r = checked(L, 1);
  const char *slot = luaL_checkstring(L, 2);
  const lar_penalty *p = r->at[0].term->type;
  double a = luaL_checknumber(L, 3), b = luaL_optnumber(L, 4, 0), l;
  const void *self = r->at[0].term->self;
  lb_enter(L);
  if (r->n != 1 || p == NULL || p->value1 == NULL)
    return luaL_error(L, "penalty: only a single separable term has scalar functions");
  l = strength(L, r, 0);
  if (strcmp(slot, "value") == 0)
    lua_pushnumber(L, p->value1(self, l, a));
  else if (strcmp(slot, "gradient") == 0)
    lua_pushnumber(L, p->grad1(self, l, a));
  else if (strcmp(slot, "prox") == 0)
    lua_pushnumber(L, p->prox1(self, l, a, b));
  else if (strcmp(slot, "distance") == 0)
    lua_pushnumber(L, p->subdist1(self, l, a, b));
  else
    return luaL_error(L, "penalty: scalar functions are value, gradient, prox, distance");
  return 1;
}

/* ---- reading ---- */

static int penalty_tostring(lua_State *L) {
  lar_reg *r = checked(L, 1);
  char **text = lb_new(L, sizeof *text, "lariat.text");
  lb_check(L, lar_reg_text(r, text));
  return lua_pushstring(L, *text), 1;
}

static int text_gc(lua_State *L) {
  char **text = lua_touserdata(L, 1);
  lar_free(*text);
  *text = NULL;
  return 0;
}

static void push_text(lua_State *L, const char *key, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, key);
}

static void push_params(lua_State *L, const lar_param *p, const void *self) {
  for (; p != NULL && p->name != NULL; p++) {
    lua_pushnumber(L, lar_param_get(p, self));
    lua_setfield(L, -2, p->name);
  }
}

static void push_scope(lua_State *L, const lar_on *on) {
  if (on == NULL) {
    lua_pushliteral(L, "weight");
  } else if (on->match != NULL) {
    lb_push_anchored(L, on->ctx);
  } else {
    lua_createtable(L, on->n, 0);
    for (int k = 0; k < on->n; k++) {
      lua_pushstring(L, on->names[k]);
      lua_rawseti(L, -2, k + 1);
    }
  }
  lua_setfield(L, -2, "on");
}

static void push_addend(lua_State *L, const lar_reg *r, int k) {
  const lar_addend *a = &r->at[k];
  char name[64];
  lua_createtable(L, 0, 8);
  push_text(L, "name", lar_reg_name(r, k, name));
  push_text(L, "kind", a->term->name);
  push_text(L, "acts", lar_term_by_grad(a->term) ? "gradient" : "prox");
  lua_pushnumber(L, a->scale);
  lua_setfield(L, -2, "scale");
  if (a->term->lambda_fn != NULL)
    lb_push_anchored(L, a->term->lambda_ctx);
  else
    lua_pushnumber(L, a->term->lambda);
  lua_setfield(L, -2, "lambda");
  push_scope(L, a->on);
  if (a->term->by != NULL) push_text(L, "by", a->term->by);
  if (a->term->mode == LAR_SUBGRADIENT) push_text(L, "mode", "subgradient");
  if (a->term->type != NULL) push_params(L, a->term->type->params, a->term->self);
  if (a->term->ctx != NULL) {
    lb_push_anchored(L, a->term->ctx);
    lua_setfield(L, -2, "spec");
  }
}

/* reg:describe() -> a list of {name, kind, lambda, scale, on, ...}, one for each term */
static int penalty_describe(lua_State *L) {
  lar_reg *r = checked(L, 1);
  lua_createtable(L, r->n, 0);
  for (int k = 0; k < r->n; k++) {
    push_addend(L, r, k);
    lua_rawseti(L, -2, k + 1);
  }
  return 1;
}

/* Methods (upvalue 1), then the parameters of a single term. */
static int penalty_index(lua_State *L) {
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  lar_reg *r = checked(L, 1);
  const char *key = luaL_checkstring(L, 2);
  const lar_term *t = r->at[0].term;
  const lar_param *p = t->type != NULL ? lar_param_find(t->type->params, key) : NULL;
  if (r->n == 1 && p != NULL) return lua_pushnumber(L, lar_param_get(p, t->self)), 1;
  if (r->n == 1 && strcmp(key, "name") == 0) return lua_pushstring(L, t->name), 1;
  if (r->n == 1 && t->ctx != NULL) {
    lb_push_anchored(L, t->ctx);
    if (lua_istable(L, -1) && lua_getfield(L, -1, key) != LUA_TNIL) return 1;
  }
  return luaL_error(L, "a penalty has no '%s'", key);
}

/* pen(...): the function `call` of the table in upvalue 1, which lariat.penalty sets. */
static int penalty_call(lua_State *L) {
  if (lua_getfield(L, lua_upvalueindex(1), "call") != LUA_TFUNCTION)
    return luaL_error(L, "a penalty is not a function");
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

static void push_traits(lua_State *L, unsigned traits) {
  static const struct {
    const char *name;
    unsigned bit;
  } names[] = {{"convex", LAR_CONVEX},   {"separable", LAR_SEPARABLE},
               {"smooth", LAR_SMOOTH},   {"constraint", LAR_CONSTRAINT},
               {"grouped", LAR_GROUPED}, {"radial", LAR_RADIAL},
               {"knee", LAR_KNEE},       {"euclidean", LAR_EUCLIDEAN},
               {"forward", LAR_FORWARD}, {"towards", LAR_TOWARDS},
               {"fisher", LAR_FISHER}};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    lua_pushboolean(L, (traits & names[k].bit) != 0);
    lua_setfield(L, -2, names[k].name);
  }
}

/* Push a list of {name, default, lo, hi, doc} from a schema. */
static void push_schema(lua_State *L, const lar_param *p) {
  lua_newtable(L);
  for (int k = 1; p != NULL && p->name != NULL; p++, k++) {
    lua_createtable(L, 0, 5);
    push_text(L, "name", p->name);
    push_text(L, "doc", p->doc);
    lua_pushnumber(L, p->init), lua_setfield(L, -2, "default");
    lua_pushnumber(L, p->lo), lua_setfield(L, -2, "lo");
    lua_pushnumber(L, p->hi), lua_setfield(L, -2, "hi");
    lua_rawseti(L, -2, k);
  }
}

/* entries() -> a list of {name, doc, source, formula, params, <traits>} */
static int entries(lua_State *L) {
  lua_newtable(L);
  for (int k = 0; lar_penalties[k] != NULL; k++) {
    const lar_penalty *p = lar_penalties[k];
    lua_createtable(L, 0, 12);
    push_text(L, "name", p->name);
    push_text(L, "doc", p->doc);
    push_text(L, "source", p->source);
    push_text(L, "formula", p->formula);
    push_traits(L, p->traits);
    lua_pushboolean(L, lar_penalty_has_prox(p)), lua_setfield(L, -2, "has_prox");
    push_schema(L, p->params);
    lua_setfield(L, -2, "params");
    lua_rawseti(L, -2, k + 1);
  }
  return 1;
}

static lar_status push_adapted(lua_State *L, const lar_reg *r, lar_bound *b, int i,
                               double gamma) {
  lar_reg **made = penalty_new(L);
  lar_term *t = NULL;
  lar_tensor own = {0};
  lar_status st = lar_bound_adapt(b, i, gamma, &own);
  if (st == LAR_OK) st = lar_term_copy(&t, r->at[0].term);
  if (st == LAR_OK) {
    lar_var_unref(t->weights);
    t->weights = NULL;
    st = lar_var_new(&t->weights, &own);
  }
  if (st == LAR_OK) st = lar_reg_of(made, t);
  if (st == LAR_OK) (*made)->at[0].scale = r->at[0].scale;
  lar_term_unref(t);
  lar_tensor_clear(&own);
  return st;
}

/* adapt(pen, from, gamma) -> for each parameter that the penalty covers in `from` (a model, a
 * tensor, a table of tensors): its name, and the penalty reweighted, without scope */
static int adapt(lua_State *L) {
  lar_reg *r = checked(L, 1);
  double gamma = luaL_checknumber(L, 3);
  const lar_penalty *type = r->at[0].term->type;
  unsigned traits = type != NULL ? type->traits : 0;
  lua_settop(L, 3);
  lb_enter(L);
  if (r->n != 1) return luaL_error(L, "adaptive: this is a sum of %d terms; adapt each", r->n);
  if ((traits & (LAR_SEPARABLE | LAR_RADIAL)) == 0 ||
      (traits & (LAR_CONSTRAINT | LAR_SOFT)) != 0)
    return luaL_error(L, "adaptive: %s takes no weights, neither by coordinate nor by group",
                      r->at[0].term->name);
  const lar_params *p = lb_params_of(L, 2);
  lar_bound **b = lb_new(L, sizeof(lar_bound *), "lariat.bound");
  lb_check(L, (is_model(L, 2) ? lar_reg_bind : lar_reg_bind_all)(b, r, p));
  int first = lua_gettop(L);
  luaL_checkstack(L, 2 * p->n + 8, "adaptive: too many parameters");
  for (int i = 0; i < p->n; i++) {
    if (!lar_bound_has_grad(*b, i) && !lar_bound_has_prox(*b, i)) continue;
    lua_pushstring(L, p->at[i].name);
    lb_check(L, push_adapted(L, r, *b, i, gamma));
    lb_anchor_all(L, -1, 1);
  }
  return lua_gettop(L) - first;
}

static int bound_gc(lua_State *L) {
  lar_bound **b = lua_touserdata(L, 1);
  lar_bound_free(*b);
  *b = NULL;
  return 0;
}

static int is_penalty(lua_State *L) {
  return lua_pushboolean(L, luaL_testudata(L, 1, LB_PENALTY) != NULL), 1;
}

static const luaL_Reg methods[] = {
  {"on", penalty_on},
  {"value", penalty_value},
  {"forward", lb_penalty_forward},
  {"terms", penalty_terms},
  {"prox", penalty_prox},
  {"prox_", penalty_prox_in},
  {"gradient", penalty_gradient},
  {"lambda", penalty_lambda},
  {"lambda_max", penalty_lambda_max},
  {"describe", penalty_describe},
  {"scalar", penalty_scalar},
  {"close", penalty_gc},
  {NULL, NULL},
};

static const luaL_Reg meta[] = {
  {"__gc", penalty_gc},   {"__close", penalty_gc}, {"__mul", penalty_mul},
  {"__div", penalty_div}, {"__add", penalty_add},  {"__tostring", penalty_tostring},
  {NULL, NULL},
};

static const luaL_Reg lib[] = {
  {"constructor", constructor}, {"custom", custom}, {"entries", entries}, {"adapt", adapt},
  {"is", is_penalty},           {NULL, NULL},
};

static const luaL_Reg given_meta[] = {{"__gc", given_gc}, {NULL, NULL}};
static const luaL_Reg params_meta[] = {{"__gc", params_gc}, {NULL, NULL}};
static const luaL_Reg on_meta[] = {{"__gc", on_gc}, {NULL, NULL}};
static const luaL_Reg text_meta[] = {{"__gc", text_gc}, {NULL, NULL}};
static const luaL_Reg bound_meta[] = {{"__gc", bound_gc}, {NULL, NULL}};
static const luaL_Reg none[] = {{NULL, NULL}};

void lb_open_penalty(lua_State *L) {
  lb_class(L, LB_PARAMS, none, params_meta);
  lb_class(L, "lariat.on", none, on_meta);
  lb_class(L, "lariat.bound", none, bound_meta);
  lb_class(L, "lariat.given", none, given_meta);
  lb_class(L, "lariat.text", none, text_meta);
  luaL_newmetatable(L, LB_PENALTY);
  luaL_setfuncs(L, meta, 0);
  lua_newtable(L);
  luaL_setfuncs(L, methods, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, "penalty_methods"); /* lariat.penalty adds to them */
  lua_pushcclosure(L, penalty_index, 1);
  lua_setfield(L, -2, "__index");
  luaL_newlib(L, lib);
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, "penalty");
  lua_pushcclosure(L, penalty_call, 1);
  lua_setfield(L, -2, "__call");
  lua_pop(L, 1);
}
