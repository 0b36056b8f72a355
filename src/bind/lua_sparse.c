/* Sparse matrices: immutable objects in compressed columns. */
#include "bind/lb_sparse.h"

#include <string.h>

#include "core/mem.h"
#include "io/libsvm.h"
#include "kern/copy.h"

/* ---- objects ---- */

static lar_sparse **push_empty(lua_State *L) {
  lb_pressure(L);
  return lb_new(L, sizeof(lar_sparse *), LB_SPARSE);
}

lar_sparse *lb_sparse_test(lua_State *L, int arg) {
  lar_sparse **box = luaL_testudata(L, arg, LB_SPARSE);
  return box != NULL ? *box : NULL;
}

lar_sparse *lb_sparse(lua_State *L, int arg) {
  lar_sparse **box = luaL_checkudata(L, arg, LB_SPARSE);
  if (*box == NULL) luaL_error(L, "this sparse matrix has been closed");
  return *box;
}

static int sparse_gc(lua_State *L) {
  lar_sparse **box = luaL_checkudata(L, 1, LB_SPARSE);
  lar_sparse_unref(*box);
  *box = NULL;
  return 0;
}

/* A contiguous copy of the tensor at `arg` in that dtype, pushed to own it. */
static const lar_tensor *as(lua_State *L, int arg, lar_dtype dtype) {
  const lar_var *v = lb_tensor(L, arg);
  lar_var **box = lb_tensor_new(L);
  lar_tensor t = {0};
  lar_status st = lar_contiguous(&t, &v->t, dtype);
  if (st == LAR_OK) st = lar_var_new(box, &t);
  lar_tensor_clear(&t);
  lb_check(L, st);
  return &(*box)->t;
}

/* ---- making ---- */

/* sparse_from(n, p, pointers, indices, values, by_rows): all counted from 0 */
static int sparse_from(lua_State *L) {
  int64_t n = luaL_checkinteger(L, 1), p = luaL_checkinteger(L, 2);
  bool rows = lua_toboolean(L, 6);
  lua_settop(L, 5);
  const lar_dtype given = lb_tensor(L, 5)->t.dtype;
  const lar_tensor *along = as(L, 3, LAR_I64), *index = as(L, 4, LAR_I64);
  const lar_tensor *value = as(L, 5, given == LAR_F64 ? LAR_F64 : LAR_F32);
  lar_sparse **s = push_empty(L);
  lb_check(L, lar_sparse_from(s, n, p, along, index, value, rows));
  return 1;
}

/* sparse_dense(matrix) -> its entries that are not 0 */
static int sparse_dense(lua_State *L) {
  const lar_var *v = lb_tensor(L, 1);
  lar_sparse **s = push_empty(L);
  lb_check(L, lar_sparse_from_dense(s, &v->t));
  return 1;
}

/* libsvm_read(path, dtype or nil, columns, base) -> x, y; or nil and a sentence */
static int libsvm_read(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  lar_dtype dtype = lua_isnoneornil(L, 2) ? lar_default_dtype : lb_dtype(L, 2);
  int64_t p = luaL_checkinteger(L, 3);
  int base = (int)luaL_checkinteger(L, 4);
  lar_tensor labels = {0};
  lar_sparse **x = push_empty(L);
  lar_var **y = lb_tensor_new(L);
  lar_status st = lar_libsvm_read(x, &labels, path, dtype, p, base);
  if (st == LAR_EIO) {
    lua_pushnil(L);
    lua_pushstring(L, lar_why());
    return 2;
  }
  if (st == LAR_OK) st = lar_var_new(y, &labels);
  lar_tensor_clear(&labels);
  lb_check(L, st);
  return 2;
}

/* ---- methods ---- */

static int sparse_to_dense(lua_State *L) {
  const lar_sparse *s = lb_sparse(L, 1);
  lar_tensor t = {0};
  lar_var **out = lb_tensor_new(L);
  lar_status st = lar_sparse_to_dense(&t, s);
  if (st == LAR_OK) st = lar_var_new(out, &t);
  lar_tensor_clear(&t);
  lb_check(L, st);
  return 1;
}

/* rows(index): the matrix of some rows, by an int64 tensor of their numbers */
static int sparse_rows(lua_State *L) {
  const lar_sparse *s = lb_sparse(L, 1);
  luaL_argcheck(L, lb_tensor(L, 2)->t.dtype == LAR_I64, 2, "rows are an int64 tensor");
  lua_settop(L, 2);
  const lar_tensor *given = as(L, 2, LAR_I64);
  int64_t m = lar_tensor_numel(given);
  const int64_t *from = lar_tensor_data(given);
  int64_t *rows = lua_newuserdatauv(L, ((size_t)m + 1) * sizeof *rows, 0);
  for (int64_t k = 0; k < m; k++) rows[k] = (from[k] < 0 ? s->n : -1) + from[k];
  lar_sparse **out = push_empty(L);
  lb_check(L, lar_sparse_rows(out, s, rows, m));
  return 1;
}

/* Product with a vector, which is of float64 whatever the entries are. */
static int product(lua_State *L, bool transpose) {
  const lar_sparse *s = lb_sparse(L, 1);
  int64_t in = transpose ? s->n : s->p, out = transpose ? s->p : s->n;
  lua_settop(L, 2);
  const lar_tensor *v = as(L, 2, LAR_F64);
  if (v->ndim != 1 || v->shape[0] != in)
    return luaL_error(L, "%s: a sparse matrix (%I, %I) and a vector %s; %I entries are needed",
                      transpose ? "tmv" : "mv", (LUAI_UACINT)s->n, (LUAI_UACINT)s->p,
                      lar_tensor_text(v), (LUAI_UACINT)in);
  lar_var **made = lb_tensor_new(L);
  lb_check(L, lar_var_init(made, LAR_F64, 1, &out));
  lar_sparse_mv(s, lar_tensor_data(v), lar_tensor_data(&(*made)->t), transpose);
  return 1;
}

static int sparse_mv(lua_State *L) { return product(L, false); }
static int sparse_tmv(lua_State *L) { return product(L, true); }

/* A tensor with a copy of n numbers, pushed. */
static void push_array(lua_State *L, lar_dtype dtype, int64_t n, const void *from) {
  lar_var **box = lb_tensor_new(L);
  lb_check(L, lar_var_init(box, dtype, 1, &n));
  memcpy(lar_tensor_data(&(*box)->t), from, (size_t)n * lar_dtype_size(dtype));
}

/* parts() -> pointers, indices, values: counted from 0 */
static int sparse_parts(lua_State *L) {
  const lar_sparse *s = lb_sparse(L, 1);
  int64_t nnz = lar_sparse_nnz(s);
  push_array(L, LAR_I64, s->p + 1, s->start);
  lar_var **box = lb_tensor_new(L);
  lb_check(L, lar_var_init(box, LAR_I64, 1, &nnz));
  int64_t *index = lar_tensor_data(&(*box)->t);
  for (int64_t k = 0; k < nnz; k++) index[k] = s->index[k];
  push_array(L, s->dtype, nnz, s->value);
  return 3;
}

static const luaL_Reg methods[] = {
  {"dense", sparse_to_dense}, {"rows", sparse_rows}, {"mv", sparse_mv}, {"tmv", sparse_tmv},
  {"parts", sparse_parts},    {"close", sparse_gc},  {NULL, NULL},
};

/* Fields, then the methods in upvalue 1. */
static int sparse_index(lua_State *L) {
  const lar_sparse *s = lb_sparse(L, 1);
  const char *key = luaL_checkstring(L, 2);
  if (strcmp(key, "shape") == 0) {
    lua_createtable(L, 2, 0);
    lua_pushinteger(L, s->n);
    lua_rawseti(L, -2, 1);
    lua_pushinteger(L, s->p);
    lua_rawseti(L, -2, 2);
  } else if (strcmp(key, "nnz") == 0) {
    lua_pushinteger(L, lar_sparse_nnz(s));
  } else if (strcmp(key, "ndim") == 0) {
    lua_pushinteger(L, 2);
  } else if (strcmp(key, "dtype") == 0) {
    lua_pushstring(L, lar_dtype_name(s->dtype));
  } else if (lua_getfield(L, lua_upvalueindex(1), key) == LUA_TNIL) {
    return luaL_error(L, "a sparse matrix has no '%s'", key);
  }
  return 1;
}

static int sparse_tostring(lua_State *L) {
  const lar_sparse *s = lb_sparse(L, 1);
  double all = (double)s->n * (double)s->p, nnz = (double)lar_sparse_nnz(s);
  char share[32];
  lua_Number percent = all > 0 ? 100 * nnz / all : 0;
  (void)lua_number2str(share, sizeof share, (double)(int64_t)(percent * 1000 + 0.5) / 1000);
  lua_pushfstring(L, "sparse %s (%I, %I), %I entries (%s %%)", lar_dtype_name(s->dtype),
                  (LUAI_UACINT)s->n, (LUAI_UACINT)s->p, (LUAI_UACINT)lar_sparse_nnz(s), share);
  return 1;
}

static int sparse_len(lua_State *L) { return lua_pushinteger(L, lb_sparse(L, 1)->n), 1; }

/* is_sparse(value) */
static int is_sparse(lua_State *L) {
  return lua_pushboolean(L, luaL_testudata(L, 1, LB_SPARSE) != NULL), 1;
}

static const luaL_Reg meta[] = {
  {"__gc", sparse_gc},   {"__close", sparse_gc}, {"__tostring", sparse_tostring},
  {"__len", sparse_len}, {NULL, NULL},
};

static const luaL_Reg lib[] = {
  {"sparse_from", sparse_from},
  {"sparse_dense", sparse_dense},
  {"libsvm_read", libsvm_read},
  {"is_sparse", is_sparse},
  {NULL, NULL},
};

void lb_open_sparse(lua_State *L) {
  lb_class(L, LB_SPARSE, methods, meta);
  luaL_getmetatable(L, LB_SPARSE);
  luaL_newlib(L, methods);
  lua_pushcclosure(L, sparse_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  luaL_setfuncs(L, lib, 0);
}
