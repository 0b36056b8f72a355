/* Making tensors: from tables, filled, and at random. */
#include <math.h>
#include <string.h>

#include "bind/lb.h"
#include "core/mem.h"
#include "core/rng.h"
#include "kern/copy.h"
#include "op/random.h"

/* ---- from nested tables ---- */

typedef struct parse {
  lua_State *L;
  lar_tensor *t;
  int ndim;
  int64_t shape[LAR_MAX_NDIM];
  bool truths; /* all leaves are booleans */
} parse;

/* Shape from the first item of each level; leaves are looked at for booleans only here. */
static void measure(parse *p, int arg) {
  lua_State *L = p->L;
  int at = lua_absindex(L, arg), depth = 0;
  lua_pushvalue(L, at);
  while (lua_istable(L, -1)) {
    if (p->ndim == LAR_MAX_NDIM)
      luaL_error(L, "tensor: tables nested deeper than %d", LAR_MAX_NDIM);
    luaL_checkstack(L, 2, NULL);
    p->shape[p->ndim++] = (int64_t)lua_rawlen(L, -1);
    lua_rawgeti(L, -1, 1);
    depth++;
    if (p->shape[p->ndim - 1] == 0) break;
  }
  p->truths = lua_isboolean(L, -1);
  lua_pop(L, depth + 1);
}

static void leaf(parse *p, int64_t at) {
  lua_State *L = p->L;
  int type = lua_type(L, -1);
  if (type == LUA_TBOOLEAN)
    lar_tensor_put(p->t, at, lua_toboolean(L, -1));
  else if (type != LUA_TNUMBER)
    luaL_error(L, "tensor: found a %s where a number should be", luaL_typename(L, -1));
  else if (p->t->dtype == LAR_I64) {
    int exact;
    lua_Integer v = lua_tointegerx(L, -1, &exact);
    if (!exact) luaL_error(L, "tensor: %s is not an integer", lb_text(L, -1));
    ((int64_t *)lar_tensor_data(p->t))[at] = v;
  } else
    lar_tensor_put(p->t, at, lua_tonumber(L, -1));
}

static void fill(parse *p, int d, int64_t offset) {
  lua_State *L = p->L;
  if (d == p->ndim) {
    leaf(p, offset);
    return;
  }
  if (!lua_istable(L, -1))
    luaL_error(L, "tensor: found a %s where a table of %d should be", luaL_typename(L, -1),
               (int)p->shape[d]);
  int64_t n = (int64_t)lua_rawlen(L, -1);
  if (n != p->shape[d])
    luaL_error(L, "tensor: a table at depth %d has %d items, the first one there has %d", d + 1,
               (int)n, (int)p->shape[d]);
  luaL_checkstack(L, 2, NULL);
  for (int64_t k = 0; k < n; k++) {
    lua_rawgeti(L, -1, k + 1);
    fill(p, d + 1, offset + k * p->t->stride[d]);
    lua_pop(L, 1);
  }
}

lar_var *lb_tensor_parse(lua_State *L, int arg, lar_dtype dtype) {
  parse p = {.L = L};
  arg = lua_absindex(L, arg);
  measure(&p, arg);
  if (dtype == LAR_NDTYPE) dtype = p.truths ? LAR_BOOL : lar_default_dtype;
  lb_pressure(L);
  lar_var **out = lb_tensor_new(L);
  lb_check(L, lar_var_init(out, dtype, p.ndim, p.shape));
  p.t = &(*out)->t;
  lua_pushvalue(L, arg);
  fill(&p, 0, 0);
  lua_pop(L, 1);
  return *out;
}

/* ---- common options ---- */

static const char *const known[] = {"dtype", "requires_grad", NULL};

static void finish(lua_State *L, lar_var *v, int options) {
  if (!lb_opt_flag(L, options, "requires_grad", false)) return;
  if (!lar_dtype_is_float(v->t.dtype))
    luaL_error(L, "requires_grad: a %s tensor has no derivative", lar_dtype_name(v->t.dtype));
  v->requires_grad = true;
}

/* The index of a trailing options table, checked, or of a nil pushed in its place. */
static int options_at(lua_State *L, int first, const char *owner) {
  int top = lua_gettop(L);
  if (top < first || !lb_is_options(L, top))
    lua_pushnil(L);
  else
    lb_known_keys(L, top, owner, known);
  return lua_gettop(L);
}

static int create_tensor(lua_State *L) {
  int options = options_at(L, 2, "tensor");
  lar_dtype t = lb_opt_dtype(L, options, LAR_NDTYPE);
  lar_var *v = lb_tensor_test(L, 1), *made;
  luaL_checkany(L, 1);
  if (v != NULL) { /* a copy */
    lar_var **out = lb_tensor_new(L);
    lar_tensor copy = {0};
    lar_status st = lar_clone(&copy, &v->t, t == LAR_NDTYPE ? v->t.dtype : t);
    if (st == LAR_OK) st = lar_var_new(out, &copy);
    lar_tensor_clear(&copy);
    lb_check(L, st);
    made = *out;
  } else {
    int type = lua_type(L, 1);
    if (type != LUA_TTABLE && type != LUA_TNUMBER && type != LUA_TBOOLEAN)
      return luaL_error(L, "tensor: a %s cannot be made a tensor; give a table of numbers",
                        luaL_typename(L, 1));
    made = lb_tensor_parse(L, 1, t);
  }
  finish(L, made, options);
  return 1;
}

/* ---- filled ---- */

static lar_var *shaped(lua_State *L, int first, const char *owner, int *options) {
  int64_t shape[LAR_MAX_NDIM];
  int last;
  int ndim = lb_shape(L, first, shape, &last);
  *options = options_at(L, last, owner);
  if (last < *options)
    luaL_error(L, "%s: argument %d is a %s; sizes are integers or one list of them", owner,
               last, luaL_typename(L, last));
  lar_dtype t = lb_opt_dtype(L, *options, lar_default_dtype);
  lb_pressure(L);
  lar_var **out = lb_tensor_new(L);
  if (lar_var_init(out, t, ndim, shape) != LAR_OK) luaL_error(L, "%s: %s", owner, lar_why());
  return *out;
}

static int filled(lua_State *L, int first, const char *owner, double value) {
  int options;
  lar_var *v = shaped(L, first, owner, &options);
  lar_fill(&v->t, value);
  finish(L, v, options);
  return 1;
}

static int create_zeros(lua_State *L) { return filled(L, 1, "zeros", 0); }
static int create_ones(lua_State *L) { return filled(L, 1, "ones", 1); }

/* full({2, 3}, 7) */
static int create_full(lua_State *L) {
  double value = lua_isboolean(L, 2) ? lua_toboolean(L, 2) : luaL_checknumber(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_remove(L, 2);
  return filled(L, 1, "full", value);
}

static int create_eye(lua_State *L) {
  int options = options_at(L, 2, "eye");
  int64_t n = luaL_checkinteger(L, 1);
  int64_t m = options > 2 && lua_isnumber(L, 2) ? luaL_checkinteger(L, 2) : n;
  lar_dtype t = lb_opt_dtype(L, options, lar_default_dtype);
  lar_var **out = lb_tensor_new(L);
  if (n < 0 || m < 0) return luaL_error(L, "eye: size %d x %d is negative", (int)n, (int)m);
  lb_check(L, lar_var_init(out, t, 2, (int64_t[]){n, m}));
  lar_fill(&(*out)->t, 0);
  for (int64_t i = 0; i < n && i < m; i++) lar_tensor_put(&(*out)->t, i * m + i, 1);
  finish(L, *out, options);
  return 1;
}

static lar_var *row(lua_State *L, int64_t n, lar_dtype t) {
  lb_pressure(L);
  lar_var **out = lb_tensor_new(L);
  lb_check(L, lar_var_init(out, t, 1, &n));
  return *out;
}

/* from, from + step, ... */
static void fill_line(const lar_tensor *t, double from, double step) {
  enum { BLOCK = 512 };
  double line[BLOCK];
  int64_t n = lar_tensor_numel(t);
  lar_copy_row *put = lar_copy_rows(t->dtype, LAR_F64);
  char *to = lar_tensor_data(t);
  for (int64_t at = 0; at < n; at += BLOCK) {
    for (int k = 0; k < BLOCK; k++) line[k] = from + (double)(at + k) * step;
    put(n - at < BLOCK ? n - at : BLOCK, to + (size_t)at * lar_dtype_size(t->dtype), 1,
        (const char *)line, 1);
  }
}

/* arange(last), arange(first, last), arange(first, last, step): the end is included, as in
 * Lua's `for`. */
static int create_arange(lua_State *L) {
  int options = options_at(L, 2, "arange"), n = options - 1;
  double from = n > 1 ? luaL_checknumber(L, 1) : 1, to = luaL_checknumber(L, n > 1 ? 2 : 1);
  double step = n > 2 ? luaL_checknumber(L, 3) : 1;
  if (step == 0 || !isfinite(from) || !isfinite(to) || !isfinite(step))
    return luaL_error(L, "arange: from %f to %f by %f has no end", from, to, step);
  double span = (to - from) / step;
  if (span > 1e15)
    return luaL_error(L, "arange: from %f to %f by %f is too long", from, to, step);
  int64_t count = span < 0 ? 0 : (int64_t)floor(span * (1 + 1e-12) + 1e-12) + 1;
  lar_var *v = row(L, count, lb_opt_dtype(L, options, lar_default_dtype));
  fill_line(&v->t, from, step);
  finish(L, v, options);
  return 1;
}

static int create_linspace(lua_State *L) {
  int options = options_at(L, 4, "linspace");
  double from = luaL_checknumber(L, 1), to = luaL_checknumber(L, 2);
  int64_t count = luaL_checkinteger(L, 3);
  if (count < 0) return luaL_error(L, "linspace: %d points are too few", (int)count);
  lar_var *v = row(L, count, lb_opt_dtype(L, options, lar_default_dtype));
  fill_line(&v->t, from, (to - from) / (double)(count > 1 ? count - 1 : 1));
  if (count > 1) lar_tensor_put(&v->t, count - 1, to);
  finish(L, v, options);
  return 1;
}

/* ---- random ---- */

static int random_float(lua_State *L, const char *owner, lar_draw_kind kind) {
  int options;
  lar_var *v = shaped(L, 1, owner, &options);
  if (!lar_dtype_is_float(v->t.dtype))
    return luaL_error(L, "%s: dtype %s is not a float; see randint", owner,
                      lar_dtype_name(v->t.dtype));
  lar_draw d = {kind, 0, 1, lar_rng_stream("sample")};
  lar_draw_run(&d, &v->t);
  lar_op_drew(&d, &v->t);
  finish(L, v, options);
  return 1;
}

static int create_rand(lua_State *L) { return random_float(L, "rand", LAR_DRAW_UNIFORM); }
static int create_randn(lua_State *L) { return random_float(L, "randn", LAR_DRAW_NORMAL); }

static lar_status recast(lar_tensor *v, lar_dtype t) {
  lar_tensor from = *v;
  lar_status st = lar_clone(v, &from, t);
  lar_tensor_clear(&from);
  return st;
}

/* randint(lo, hi, shape): int64, both ends included, as math.random. */
static int create_randint(lua_State *L) {
  int64_t lo = luaL_checkinteger(L, 1), hi = luaL_checkinteger(L, 2), shape[LAR_MAX_NDIM];
  int last;
  int ndim = lb_shape(L, 3, shape, &last), options = options_at(L, last, "randint");
  if (hi < lo) return luaL_error(L, "randint: %I..%I is empty", lo, hi);
  if ((uint64_t)hi - (uint64_t)lo >= INT64_MAX)
    return luaL_error(L, "randint: %I..%I is too wide", lo, hi);
  lar_dtype t = lb_opt_dtype(L, options, LAR_I64);
  lb_pressure(L);
  lar_var **out = lb_tensor_new(L);
  lb_check(L, lar_var_init(out, LAR_I64, ndim, shape));
  lar_tensor *v = &(*out)->t;
  lar_rng_fill_integers(lar_rng_stream("sample"), lar_tensor_data(v), lar_tensor_numel(v), lo,
                        hi - lo + 1);
  if (t != LAR_I64) lb_check(L, recast(v, t));
  finish(L, *out, options);
  return 1;
}

static int create_randperm(lua_State *L) {
  int64_t n = luaL_checkinteger(L, 1);
  if (n < 0) return luaL_error(L, "randperm: %d is negative", (int)n);
  lar_var *v = row(L, n, LAR_I64);
  int64_t *p = lar_tensor_data(&v->t);
  lar_rng_permutation(lar_rng_stream("sample"), p, n);
  for (int64_t k = 0; k < n; k++) p[k]++;
  return 1;
}

static int create_seed(lua_State *L) {
  if (lua_isnoneornil(L, 1)) return lua_pushinteger(L, (lua_Integer)lar_rng_get_seed()), 1;
  lar_rng_seed((uint64_t)luaL_checkinteger(L, 1));
  return 0;
}

static int create_default_dtype(lua_State *L) {
  lua_settop(L, 1);
  if (!lua_isnil(L, 1)) {
    lar_dtype t = lb_dtype(L, 1);
    if (!lar_dtype_is_float(t))
      return luaL_error(L, "default_dtype: %s is not a float", lar_dtype_name(t));
    lar_default_dtype = t;
  }
  return lua_pushstring(L, lar_dtype_name(lar_default_dtype)), 1;
}

static int is_tensor(lua_State *L) {
  return lua_pushboolean(L, lb_tensor_box(L, 1) != NULL), 1;
}

static const luaL_Reg lib[] = {
  {"tensor", create_tensor},
  {"zeros", create_zeros},
  {"ones", create_ones},
  {"full", create_full},
  {"eye", create_eye},
  {"arange", create_arange},
  {"linspace", create_linspace},
  {"rand", create_rand},
  {"randn", create_randn},
  {"randint", create_randint},
  {"randperm", create_randperm},
  {"seed", create_seed},
  {"default_dtype", create_default_dtype},
  {"is_tensor", is_tensor},
  {NULL, NULL},
};

void lb_open_create(lua_State *L) { luaL_setfuncs(L, lib, 0); }
