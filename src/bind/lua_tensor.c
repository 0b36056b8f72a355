/* The tensor class: properties, operators, and the ops as methods. */
#include <string.h>

#include "bind/lb.h"
#include "kern/copy.h"
#include "op/calc.h"

lar_var *lb_tensor(lua_State *L, int arg) {
  lar_var *v = lb_tensor_test(L, arg);
  if (v == NULL) luaL_typeerror(L, arg, "tensor");
  return v;
}

void lb_tensor_push(lua_State *L, lar_var *v) {
  if (v == NULL)
    lua_pushnil(L);
  else
    *lb_tensor_new(L) = lar_var_ref(v);
}

lar_dtype lb_number_dtype(lua_State *L, int arg, lar_dtype t) {
  if (lua_isboolean(L, arg)) return LAR_BOOL;
  if (lar_dtype_is_float(t)) return t;
  return lua_isinteger(L, arg) ? LAR_I64 : lar_default_dtype;
}

lar_var *lb_tensor_from(lua_State *L, int arg, lar_dtype like) {
  lar_var *v = lb_tensor_test(L, arg);
  if (v != NULL) return v;
  if (lua_istable(L, arg)) return lb_tensor_parse(L, arg, like);
  lar_dtype t = lb_number_dtype(L, arg, like);
  double value = lua_isboolean(L, arg) ? lua_toboolean(L, arg) : luaL_checknumber(L, arg);
  lar_var **p = lb_tensor_new(L);
  lb_check(L, lar_var_scalar(p, t, value));
  if (t == LAR_I64 && lua_isinteger(L, arg)) /* all 64 bits of it */
    *(int64_t *)lar_tensor_data(&(*p)->t) = lua_tointeger(L, arg);
  return *p;
}

static int tensor_close(lua_State *L) {
  lar_var **p = lb_tensor_box(L, 1);
  if (p == NULL) return luaL_typeerror(L, 1, "tensor");
  lar_var_unref(*p);
  *p = NULL;
  return 0;
}

/* ---- operators ---- */

static int op_method(lua_State *L) {
  return lb_op_call(L, lua_touserdata(L, lua_upvalueindex(1)));
}

static int op_into(lua_State *L) {
  return lb_op_into(L, lua_touserdata(L, lua_upvalueindex(1)));
}

static int tensor_eq(lua_State *L) {
  lar_var **a = lb_tensor_box(L, 1), **b = lb_tensor_box(L, 2);
  lua_pushboolean(L, a != NULL && b != NULL && *a == *b);
  return 1;
}

/* Order of single elements, so that `if loss < 0.1` reads as it should. */
static double single(lua_State *L, int arg) {
  double v;
  lar_var *t = lb_tensor_test(L, arg);
  if (t == NULL) return luaL_checknumber(L, arg);
  if (lar_tensor_numel(&t->t) != 1)
    luaL_error(L, "'<' and '<=' compare tensors of one element; for %s use a:lt(b), a:le(b)",
               lar_tensor_text(&t->t));
  lb_check(L, lar_op_peek("a comparison of tensors with '<'"));
  lb_check(L, lar_var_item(t, &v));
  return v;
}

static int tensor_lt(lua_State *L) {
  return lua_pushboolean(L, single(L, 1) < single(L, 2)), 1;
}
static int tensor_le(lua_State *L) {
  return lua_pushboolean(L, single(L, 1) <= single(L, 2)), 1;
}

static int tensor_len(lua_State *L) {
  lar_var *v = lb_tensor(L, 1);
  if (v->t.ndim == 0) return luaL_error(L, "#: a scalar has no length");
  return lua_pushinteger(L, v->t.shape[0]), 1;
}

/* ---- reading values ---- */

static void push_element(lua_State *L, const lar_tensor *t, int64_t at) {
  switch (t->dtype) {
  case LAR_I64: lua_pushinteger(L, ((const int64_t *)lar_tensor_data(t))[at]); break;
  case LAR_BOOL: lua_pushboolean(L, ((const uint8_t *)lar_tensor_data(t))[at]); break;
  default: lua_pushnumber(L, lar_tensor_get(t, at));
  }
}

static int tensor_item(lua_State *L) {
  lar_var *v = lb_tensor(L, 1);
  double ignored;
  lb_check(L, lar_op_peek("item()"));
  lb_check(L, lar_var_item(v, &ignored));
  push_element(L, &v->t, 0);
  return 1;
}

static int tensor_at(lua_State *L) {
  lar_var *v = lb_tensor(L, 1);
  int64_t offset = 0, i;
  if (lua_gettop(L) - 1 != v->t.ndim)
    return luaL_error(L, "at: a tensor of shape %s takes %d indices, not %d",
                      lar_tensor_text(&v->t), v->t.ndim, lua_gettop(L) - 1);
  for (int d = 0; d < v->t.ndim; d++) {
    if (lar_index(luaL_checkinteger(L, d + 2), v->t.shape[d], &i) != LAR_OK)
      return luaL_error(L, "at: %s of dimension %d of %s", lar_why(), d + 1,
                        lar_tensor_text(&v->t));
    offset += i * v->t.stride[d];
  }
  lb_check(L, lar_op_peek("at()"));
  push_element(L, &v->t, offset);
  return 1;
}

static void push_table(lua_State *L, const lar_tensor *t, int d, int64_t offset) {
  if (d == t->ndim) {
    push_element(L, t, offset);
    return;
  }
  luaL_checkstack(L, 3, NULL);
  lua_createtable(L, t->shape[d] < 1 << 20 ? (int)t->shape[d] : 0, 0);
  for (int64_t k = 0; k < t->shape[d]; k++) {
    push_table(L, t, d + 1, offset + k * t->stride[d]);
    lua_rawseti(L, -2, k + 1);
  }
}

static int tensor_totable(lua_State *L) {
  lb_check(L, lar_op_peek("totable()"));
  push_table(L, &lb_tensor(L, 1)->t, 0, 0);
  return 1;
}

/* ---- dtype ---- */

static int cast_to(lua_State *L, lar_dtype t) {
  lar_var *v = lb_tensor(L, 1), *out[LAR_MAX_OUT];
  int nout;
  if (v->t.dtype == t) {
    lua_settop(L, 1);
    return 1;
  }
  lar_attr attr = {.n = 1, .i = {t}};
  lar_var **p = lb_tensor_new(L);
  lb_check(L, lar_op_apply(LAR_OP(cast), &attr, 1, &v, &nout, out));
  *p = out[0];
  return 1;
}

static int tensor_to(lua_State *L) { return cast_to(L, lb_dtype(L, 2)); }
static int tensor_double(lua_State *L) { return cast_to(L, LAR_F64); }
static int tensor_float(lua_State *L) { return cast_to(L, LAR_F32); }
static int tensor_long(lua_State *L) { return cast_to(L, LAR_I64); }
static int tensor_bool(lua_State *L) { return cast_to(L, LAR_BOOL); }

/* ---- in place ---- */

static void written(lar_var *v) { v->t.storage->version++; }

static int tensor_fill(lua_State *L) {
  lar_var *v = lb_tensor(L, 1);
  double x = lua_isboolean(L, 2) ? lua_toboolean(L, 2) : luaL_checknumber(L, 2);
  lb_check(L, lar_var_writable(v, true));
  lar_fill(&v->t, x);
  written(v);
  lua_settop(L, 1);
  return 1;
}

static int tensor_zero(lua_State *L) {
  lua_settop(L, 1);
  lua_pushinteger(L, 0);
  return tensor_fill(L);
}

static int tensor_copy(lua_State *L) {
  lar_var *v = lb_tensor(L, 1), *src = lb_tensor_from(L, 2, v->t.dtype);
  lar_tensor own = {0};
  lb_check(L, lar_var_writable(v, true));
  if (lar_grad_enabled() && src->requires_grad)
    return luaL_error(L, "copy_: copying would lose the derivative of the source; copy "
                         "source:detach(), or work inside lariat.no_grad");
  lar_status st = lar_overlap(&v->t, &src->t) ? lar_clone(&own, &src->t, src->t.dtype) : LAR_OK;
  if (st == LAR_OK) st = lar_copy(&v->t, own.storage != NULL ? &own : &src->t);
  lar_tensor_clear(&own);
  if (st != LAR_OK) return luaL_error(L, "copy_: %s", lar_why());
  written(v);
  lua_settop(L, 1);
  return 1;
}

/* ---- properties ---- */

static int get_shape(lua_State *L, lar_var *v) {
  lua_createtable(L, v->t.ndim, 0);
  for (int d = 0; d < v->t.ndim; d++) {
    lua_pushinteger(L, v->t.shape[d]);
    lua_rawseti(L, -2, d + 1);
  }
  return 1;
}
static int get_ndim(lua_State *L, lar_var *v) { return lua_pushinteger(L, v->t.ndim), 1; }
static int get_dtype(lua_State *L, lar_var *v) {
  return lua_pushstring(L, lar_dtype_name(v->t.dtype)), 1;
}
static int get_numel(lua_State *L, lar_var *v) {
  return lua_pushinteger(L, lar_tensor_numel(&v->t)), 1;
}
static int get_grad(lua_State *L, lar_var *v) { return lb_tensor_push(L, v->grad), 1; }
static int get_requires_grad(lua_State *L, lar_var *v) {
  return lua_pushboolean(L, v->requires_grad), 1;
}
static int get_is_leaf(lua_State *L, lar_var *v) {
  return lua_pushboolean(L, v->maker == NULL), 1;
}

static const struct {
  const char *name;
  int (*get)(lua_State *L, lar_var *v);
} properties[] = {
  {"shape", get_shape},     {"ndim", get_ndim}, {"dtype", get_dtype},
  {"numel", get_numel},     {"grad", get_grad}, {"requires_grad", get_requires_grad},
  {"is_leaf", get_is_leaf},
};

/* Upvalue 1: the methods. */
static int tensor_index(lua_State *L) {
  if (lua_type(L, 2) != LUA_TSTRING) return lb_tensor_index(L);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  const char *key = lua_tostring(L, 2);
  for (size_t k = 0; k < sizeof properties / sizeof *properties; k++)
    if (strcmp(properties[k].name, key) == 0) return properties[k].get(L, lb_tensor(L, 1));
  return luaL_error(L, "a tensor has no '%s'", key);
}

static int set_requires_grad(lua_State *L, lar_var *v, bool on) {
  if (on && !lar_dtype_is_float(v->t.dtype))
    return luaL_error(L, "requires_grad: a %s tensor has no derivative; make it a float tensor",
                      lar_dtype_name(v->t.dtype));
  if (v->maker != NULL)
    return luaL_error(L,
                      "requires_grad: set it on tensors that are not results; use x:detach()");
  v->requires_grad = on;
  return 0;
}

static int tensor_requires_grad(lua_State *L) {
  set_requires_grad(L, lb_tensor(L, 1), lua_isnoneornil(L, 2) || lua_toboolean(L, 2));
  lua_settop(L, 1);
  return 1;
}

static int set_grad(lua_State *L, lar_var *v) {
  lar_var *g = lua_isnil(L, 3) ? NULL : lb_tensor(L, 3);
  if (g != NULL && !lar_tensor_same_shape(&g->t, &v->t))
    return luaL_error(L, "grad: shape %s does not fit a tensor of shape %s",
                      lar_tensor_text(&g->t), lar_tensor_text(&v->t));
  if (g == v) return luaL_error(L, "grad: a tensor cannot be its own gradient");
  lar_var_ref(g);
  lar_var_unref(v->grad);
  v->grad = g;
  return 0;
}

static int tensor_newindex(lua_State *L) {
  if (lua_type(L, 2) != LUA_TSTRING) return lb_tensor_newindex(L);
  const char *key = lua_tostring(L, 2);
  lar_var *v = lb_tensor(L, 1);
  if (strcmp(key, "grad") == 0) return set_grad(L, v);
  if (strcmp(key, "requires_grad") == 0) return set_requires_grad(L, v, lua_toboolean(L, 3));
  return luaL_error(L, "a tensor has no field '%s' to set", key);
}

static int tensor_detach(lua_State *L) {
  lar_var *v = lb_tensor(L, 1);
  lb_check(L, lar_var_detach(lb_tensor_new(L), v));
  return 1;
}

static int tensor_is_contiguous(lua_State *L) {
  return lua_pushboolean(L, lar_tensor_is_contiguous(&lb_tensor(L, 1)->t)), 1;
}

/* ---- opening ---- */

static const luaL_Reg methods[] = {
  {"item", tensor_item},
  {"at", tensor_at},
  {"totable", tensor_totable},
  {"to", tensor_to},
  {"double", tensor_double},
  {"float", tensor_float},
  {"long", tensor_long},
  {"bool", tensor_bool},
  {"fill_", tensor_fill},
  {"zero_", tensor_zero},
  {"copy_", tensor_copy},
  {"detach", tensor_detach},
  {"close", tensor_close},
  {"requires_grad_", tensor_requires_grad},
  {"is_contiguous", tensor_is_contiguous},
  {"split", lb_tensor_split},
  {"chunk", lb_tensor_chunk},
  {"unbind", lb_tensor_unbind},
  {NULL, NULL},
};

static const luaL_Reg meta[] = {
  {"__close", tensor_close},
  {"__eq", tensor_eq},
  {"__lt", tensor_lt},
  {"__le", tensor_le},
  {"__len", tensor_len},
  {"__tostring", lb_tensor_tostring},
  {NULL, NULL},
};

static const char *const operators[][2] = {
  {"__add", "add"}, {"__sub", "sub"}, {"__mul", "mul"},        {"__div", "div"},
  {"__pow", "pow"}, {"__unm", "neg"}, {"__idiv", "floor_div"}, {"__mod", "mod"},
};

static void push_op(lua_State *L, const lar_op *op, lua_CFunction f) {
  lua_pushlightuserdata(L, (void *)(uintptr_t)op);
  luaL_getmetatable(L, LB_TENSOR);
  lua_pushcclosure(L, f, 2);
}

/* The second argument Lua gives to a unary operator is the operand again. */
static int op_unary(lua_State *L) {
  lua_settop(L, 1);
  return op_method(L);
}

/* Every op becomes a method, its in-place twin with '_', and a function of lariat.core.op;
 * the stack holds core, metatable, methods. */
static void add_ops(lua_State *L) {
  lua_newtable(L);
  for (const lar_op *const *p = lar_ops; *p != NULL; p++) {
    const lar_op *op = *p;
    if (op->traits & LAR_OP_HIDDEN) continue;
    push_op(L, op, op_method);
    lua_pushvalue(L, -1);
    lua_setfield(L, -4, op->name); /* methods */
    lua_setfield(L, -2, op->name); /* core.op */
    if (op->args[0] != 'x' || (op->traits & LAR_OP_VIEW)) continue;
    lua_pushfstring(L, "%s_", op->name);
    push_op(L, op, op_into);
    lua_rawset(L, -4);
  }
  lua_setfield(L, -4, "op");
}

void lb_open_tensor(lua_State *L) {
  lb_open_boxes(L);
  luaL_setfuncs(L, meta, 0);
  for (size_t k = 0; k < sizeof operators / sizeof *operators; k++) {
    push_op(L, lar_op_find(operators[k][1]),
            strcmp(operators[k][0], "__unm") == 0 ? op_unary : op_method);
    lua_setfield(L, -2, operators[k][0]);
  }
  lua_newtable(L);
  add_ops(L);
  luaL_setfuncs(L, methods, 0);
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, "tensor_methods"); /* the Lua library adds a few of its own */
  lua_pushcclosure(L, tensor_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, tensor_newindex);
  lua_setfield(L, -2, "__newindex");
  lua_pop(L, 1);
}
