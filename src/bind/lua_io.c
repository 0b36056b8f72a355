/* Files and tables of data: what lua/lariat/data builds on. Content and files that cannot be
 * used are answered by nil and a sentence; anything else that fails is raised. */
#include <string.h>

#include "bind/lb.h"
#include "core/mem.h"
#include "core/rng.h"
#include "io/column.h"
#include "io/csv.h"
#include "io/deal.h"
#include "io/idx.h"
#include "io/npy.h"
#include "kern/copy.h"

#define FRAME "lariat.frame"

/* nil, message for trouble with a file; LAR_OK and the rest as everywhere. */
static int answer(lua_State *L, lar_status st, int results) {
  if (st == LAR_EIO) {
    lua_pushnil(L);
    lua_pushstring(L, lar_why());
    return 2;
  }
  lb_check(L, st);
  return results;
}

/* A tensor made by the core, into the empty object on top. */
static lar_status adopt(lar_var **out, lar_tensor *made, lar_status st) {
  if (st == LAR_OK) st = lar_var_new(out, made);
  lar_tensor_clear(made);
  return st;
}

/* ---- frames ---- */

static lar_frame *frame(lua_State *L) {
  lar_frame *f = luaL_checkudata(L, 1, FRAME);
  if (f->text.data == NULL) luaL_error(L, "this table has been closed");
  return f;
}

static char opt_byte(lua_State *L, const char *key, char def) {
  if (lua_getfield(L, 3, key) != LUA_TNIL) {
    const char *s = lua_isboolean(L, -1) ? "" : luaL_checkstring(L, -1);
    def = s[0];
  }
  lua_pop(L, 1);
  return def;
}

/* frame(name, text or nil, {sep, quote, decimal, comment, header, skip}): a table opened, its
 * header read. Without a text, `name` is a file. */
static int frame_open(lua_State *L) {
  size_t size = 0;
  const char *name = luaL_checkstring(L, 1), *text = luaL_optlstring(L, 2, NULL, &size);
  luaL_checktype(L, 3, LUA_TTABLE);
  lar_csv csv = {.sep = opt_byte(L, "sep", 0),
                 .quote = opt_byte(L, "quote", '"'),
                 .decimal = opt_byte(L, "decimal", '.'),
                 .comment = opt_byte(L, "comment", 0),
                 .header = -1,
                 .skip = (int64_t)lb_opt_number(L, 3, "skip", 0)};
  if (lua_getfield(L, 3, "header") == LUA_TBOOLEAN) csv.header = lua_toboolean(L, -1);
  lb_pressure(L);
  lar_frame *f = lb_new(L, sizeof *f, FRAME);
  lar_status st = lar_strdup(&f->name, name);
  if (st == LAR_OK)
    st = text != NULL ? lar_bytes_copy(&f->text, name, text, size)
                      : lar_bytes_read(&f->text, name);
  if (st == LAR_OK) st = lar_frame_open(f, &csv);
  if (st != LAR_OK) lar_frame_clear(f); /* not only when it is collected */
  return answer(L, st, 1);
}

static int frame_gc(lua_State *L) {
  lar_frame_clear(luaL_checkudata(L, 1, FRAME));
  return 0;
}

static int push_slices(lua_State *L, const lar_slice *s, int64_t n, size_t stride) {
  lua_createtable(L, (int)n, 0);
  for (int64_t k = 0; k < n; k++) {
    const lar_slice *at = (const void *)((const char *)s + (size_t)k * stride);
    lua_pushlstring(L, at->at != NULL ? at->at : "", (size_t)at->size);
    lua_rawseti(L, -2, k + 1);
  }
  return 1;
}

/* names() -> a list; "" where a column has none */
static int frame_names(lua_State *L) {
  lar_frame *f = frame(L);
  return push_slices(L, &f->column[0].name, f->ncol, sizeof *f->column);
}

/* The missing words at `arg`, a list of strings, in a userdata that is pushed. */
static lar_missing read_missing(lua_State *L, int arg) {
  luaL_checktype(L, arg, LUA_TTABLE);
  size_t n = (size_t)lua_rawlen(L, arg);
  lar_slice *word = lua_newuserdatauv(L, (n + 1) * sizeof *word, 0);
  for (size_t k = 0; k < n; k++) {
    size_t size;
    lua_rawgeti(L, arg, (lua_Integer)k + 1);
    word[k].at = luaL_checklstring(L, -1, &size); /* the list keeps it */
    word[k].size = (int64_t)size;
    lua_pop(L, 1);
  }
  return (lar_missing){word, (int64_t)n};
}

/* read({kind of each column}, {missing words}, max_levels) -> rows; kind false: not wanted */
static int frame_read(lua_State *L) {
  lar_frame *f = frame(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  if (f->cell != NULL) return luaL_error(L, "this table has been read");
  for (int64_t k = 0; k < f->ncol; k++) {
    lua_rawgeti(L, 2, k + 1);
    const char *kind = lua_toboolean(L, -1) ? luaL_checkstring(L, -1) : "skip";
    f->column[k].kind = strcmp(kind, "auto") == 0     ? LAR_COL_AUTO
                        : strcmp(kind, "target") == 0 ? LAR_COL_TARGET
                                                      : lar_col_find(kind);
    lua_pop(L, 1);
  }
  lar_missing missing = read_missing(L, 3);
  int64_t most = (int64_t)luaL_checkinteger(L, 4);
  lb_pressure(L);
  lar_status st = lar_frame_read(f, &missing, most);
  lua_pushinteger(L, f->nrow);
  if (st != LAR_OK) lar_frame_clear(f);
  return answer(L, st, 1);
}

/* kinds() -> a list */
static int frame_kinds(lua_State *L) {
  lar_frame *f = frame(L);
  lua_createtable(L, (int)f->ncol, 0);
  for (int64_t k = 0; k < f->ncol; k++) {
    lua_pushstring(L, lar_col_name(f->column[k].kind));
    lua_rawseti(L, -2, k + 1);
  }
  return 1;
}

/* A column that has been read, by its position at `arg`. */
static int64_t column(lua_State *L, const lar_frame *f, int arg) {
  lua_Integer k = luaL_checkinteger(L, arg);
  luaL_argcheck(L, k >= 1 && k <= f->ncol && f->cell != NULL && f->column[k - 1].slot >= 0, arg,
                "no such column");
  return k - 1;
}

/* levels(k) -> a list */
static int frame_levels(lua_State *L) {
  lar_frame *f = frame(L);
  const lar_levels *v = &f->column[column(L, f, 2)].levels;
  return push_slices(L, v->text, v->count, sizeof *v->text);
}

/* strings(k) -> the texts of a column, "" where missing; a list */
static int frame_strings(lua_State *L) {
  lar_frame *f = frame(L);
  const lar_column *c = &f->column[column(L, f, 2)];
  frame_levels(L); /* strings are made once each */
  int levels = lua_gettop(L);
  lua_createtable(L, (int)f->nrow, 0);
  for (int64_t row = 0; row < f->nrow; row++) {
    double v = f->cell[row * f->width + c->slot];
    if (v != v)
      lua_pushliteral(L, "");
    else
      lua_rawgeti(L, levels, (lua_Integer)v);
    lua_rawseti(L, -2, row + 1);
  }
  return 1;
}

/* The columns listed at `arg`: their number; positions in a userdata that is pushed. */
static int64_t listed(lua_State *L, const lar_frame *f, int arg, int64_t **out) {
  luaL_checktype(L, arg, LUA_TTABLE);
  int64_t n = (int64_t)lua_rawlen(L, arg);
  *out = lua_newuserdatauv(L, ((size_t)n + 1) * sizeof **out, 0);
  for (int64_t k = 0; k < n; k++) {
    lua_rawgeti(L, arg, k + 1);
    (*out)[k] = column(L, f, -1);
    lua_pop(L, 1);
  }
  return n;
}

/* The same as a flag for each column. */
static bool *wanted(lua_State *L, const lar_frame *f, int arg) {
  int64_t *list, n = listed(L, f, arg, &list);
  bool *want = lua_newuserdatauv(L, (size_t)f->ncol * sizeof *want + 1, 0);
  memset(want, 0, (size_t)f->ncol * sizeof *want);
  for (int64_t k = 0; k < n; k++) want[list[k]] = true;
  return want;
}

/* missing({columns}) -> line and position of the first missing cell, or nothing */
static int frame_missing(lua_State *L) {
  lar_frame *f = frame(L);
  int64_t k = 0, row = lar_frame_missing(f, wanted(L, f, 2), &k);
  if (row < 0) return 0;
  lua_pushinteger(L, f->line[row]);
  lua_pushinteger(L, k + 1);
  return 2;
}

/* drop({columns}) -> how many rows went for a missing cell among them */
static int frame_drop(lua_State *L) {
  lar_frame *f = frame(L);
  return lua_pushinteger(L, lar_frame_drop(f, wanted(L, f, 2))), 1;
}

/* matrix({columns}, one_hot, dtype) -> a tensor (rows, p) */
static int frame_matrix(lua_State *L) {
  lar_frame *f = frame(L);
  int64_t *list, n = listed(L, f, 2, &list);
  lar_dtype dtype = lb_dtype(L, 4);
  lar_tensor x;
  lb_pressure(L);
  lar_var **out = lb_tensor_new(L);
  lar_status st = lar_frame_matrix(f, n, list, lua_toboolean(L, 3), dtype, &x);
  return answer(L, adopt(out, &x, st), 1);
}

/* ---- columns of numbers ---- */

/* The float tensor (n, ...) at `arg`, contiguous: pushed when it had to be copied. */
static lar_var *matrix(lua_State *L, int arg, const char *owner, int64_t *p) {
  lar_var *v = lb_tensor(L, arg);
  if (!lar_dtype_is_float(v->t.dtype) || v->t.ndim < 1)
    luaL_error(L, "%s: x must be a float tensor (n, p), not %s %s", owner,
               lar_dtype_name(v->t.dtype), lar_tensor_text(&v->t));
  int64_t n = v->t.shape[0], numel = lar_tensor_numel(&v->t);
  *p = n > 0 ? numel / n : 0;
  if (lar_tensor_is_contiguous(&v->t)) return v;
  lar_tensor plain = {0};
  lar_var **out = lb_tensor_new(L);
  lar_status st = lar_contiguous(&plain, &v->t, v->t.dtype);
  lb_check(L, adopt(out, &plain, st));
  return *out;
}

static double *vector(lua_State *L, int64_t p) {
  lar_var **out = lb_tensor_new(L);
  lb_check(L, lar_var_init(out, LAR_F64, 1, &p));
  return lar_tensor_data(&(*out)->t);
}

/* column_moments(x) -> mean (p), std (p) in float64, position of the first column without
 * values or nil */
static int column_moments(lua_State *L) {
  int64_t p, empty;
  const lar_var *x = matrix(L, 1, "column_moments", &p);
  double *mean = vector(L, p), *std = vector(L, p);
  lb_check(L, lar_column_moments(&x->t, p, mean, std, &empty));
  lua_pushinteger(L, empty + 1);
  if (empty < 0) lua_pushnil(L), lua_replace(L, -2);
  return 3;
}

/* A float64 vector of length p at `arg`. */
static const double *moment(lua_State *L, int arg, int64_t p) {
  const lar_var *v = lb_tensor(L, arg);
  if (v->t.dtype != LAR_F64 || v->t.ndim != 1 || v->t.shape[0] != p ||
      !lar_tensor_is_contiguous(&v->t))
    luaL_error(L, "column_scale: argument %d must be float64 (%d), not %s %s", arg, (int)p,
               lar_dtype_name(v->t.dtype), lar_tensor_text(&v->t));
  return lar_tensor_data(&v->t);
}

/* column_scale(x, mean, std, back) -> a new tensor */
static int column_scale(lua_State *L) {
  int64_t p;
  lua_settop(L, 4);
  const lar_var *x = matrix(L, 1, "column_scale", &p);
  const double *mean = moment(L, 2, p), *std = moment(L, 3, p);
  bool back = lua_toboolean(L, 4);
  lb_pressure(L);
  lar_var **out = lb_tensor_new(L);
  lb_check(L, lar_var_init(out, x->t.dtype, x->t.ndim, x->t.shape));
  lar_column_scale(&(*out)->t, &x->t, p, mean, std, back);
  return 1;
}

/* column_fill(x) -> position of the first column without values or nil; missing values of the
 * fresh tensor x become means */
static int column_fill(lua_State *L) {
  int64_t p, empty;
  const lar_var *x = matrix(L, 1, "column_fill", &p);
  double *mean = vector(L, p), *std = vector(L, p);
  lb_check(L, lar_column_moments(&x->t, p, mean, std, &empty));
  if (empty >= 0) return lua_pushinteger(L, empty + 1), 1;
  lar_column_fill(&x->t, p, mean);
  return 0;
}

/* ---- rows and labels ---- */

/* The int64 vector at `arg`, contiguous (a copy is pushed when it is not). */
static lar_var *labels(lua_State *L, int arg, const char *owner) {
  lar_var *v = lb_tensor(L, arg);
  if (v->t.dtype != LAR_I64 || v->t.ndim != 1)
    luaL_error(L, "%s: class labels are an int64 tensor (n) of 1..K, not %s %s", owner,
               lar_dtype_name(v->t.dtype), lar_tensor_text(&v->t));
  if (lar_tensor_is_contiguous(&v->t)) return v;
  lar_tensor plain = {0};
  lar_var **out = lb_tensor_new(L);
  lar_status st = lar_contiguous(&plain, &v->t, LAR_I64);
  lb_check(L, adopt(out, &plain, st));
  return *out;
}

static int64_t most(const lar_var *v) {
  const int64_t *at = lar_tensor_data(&v->t);
  int64_t n = lar_tensor_numel(&v->t), top = 0;
  for (int64_t k = 0; k < n; k++) top = at[k] > top ? at[k] : top;
  return top;
}

/* Raise the core's sentence after the name of the function. */
static void check_as(lua_State *L, const char *owner, lar_status st) {
  if (st == LAR_EARG) luaL_error(L, "%s: %s", owner, lar_why());
  lb_check(L, st);
}

/* one_hot(labels, classes or nil, dtype) -> (n, classes) */
static int one_hot(lua_State *L) {
  lua_settop(L, 3);
  lar_dtype t = lua_isnil(L, 3) ? lar_default_dtype : lb_dtype(L, 3);
  const lar_var *v = labels(L, 1, "one_hot");
  int64_t n = lar_tensor_numel(&v->t);
  int64_t classes = lua_isnil(L, 2) ? most(v) : (int64_t)luaL_checkinteger(L, 2);
  if (classes < 0) return luaL_error(L, "one_hot: %d classes are too few", (int)classes);
  lb_pressure(L);
  lar_var **out = lb_tensor_new(L);
  lb_check(L, lar_var_init(out, t, 2, (int64_t[]){n, classes}));
  lar_fill(&(*out)->t, 0);
  check_as(L, "one_hot", lar_label_spread(&v->t, &(*out)->t));
  return 1;
}

/* class_counts(labels, classes) -> a list of integers */
static int class_counts(lua_State *L) {
  const lar_var *v = labels(L, 1, "class_counts");
  int64_t classes = lua_isnoneornil(L, 2) ? most(v) : (int64_t)luaL_checkinteger(L, 2);
  luaL_argcheck(L, classes >= 0 && classes <= INT32_MAX, 2, "out of range");
  int64_t *count = lua_newuserdatauv(L, ((size_t)classes + 1) * sizeof *count, 0);
  check_as(L, "class_counts", lar_label_count(&v->t, classes, count));
  lua_createtable(L, (int)classes, 0);
  for (int64_t k = 0; k < classes; k++) {
    lua_pushinteger(L, count[k]);
    lua_rawseti(L, -2, k + 1);
  }
  return 1;
}

/* permutation(n, seed, stream) -> int64 (n) of 1..n in random order: from a stream of its own
 * when there is a seed, else from the global stream of that name */
static int permutation(lua_State *L) {
  int64_t n = luaL_checkinteger(L, 1);
  const char *name = luaL_optstring(L, 3, "shuffle");
  lar_rng own, *rng = &own;
  if (n < 0) return luaL_error(L, "permutation: %d is negative", (int)n);
  if (lua_isnoneornil(L, 2))
    rng = lar_rng_stream(name);
  else
    own = lar_rng_make((uint64_t)luaL_checkinteger(L, 2), name);
  lar_var **out = lb_tensor_new(L);
  lb_check(L, lar_var_init(out, LAR_I64, 1, &n));
  int64_t *p = lar_tensor_data(&(*out)->t);
  lar_rng_permutation(rng, p, n);
  for (int64_t k = 0; k < n; k++) p[k]++;
  return 1;
}

/* deal(order (n), {size of each part}, labels or nil) -> int64 (n), part after part; the sizes
 * add up to n */
static int deal(lua_State *L) {
  lua_settop(L, 3);
  lar_var *order = labels(L, 1, "deal"), *label = NULL;
  int64_t n = lar_tensor_numel(&order->t), total = 0;
  luaL_checktype(L, 2, LUA_TTABLE);
  int64_t parts = (int64_t)lua_rawlen(L, 2);
  int64_t *size = lua_newuserdatauv(L, ((size_t)parts + 1) * sizeof *size, 0);
  for (int64_t k = 0; k < parts; k++) {
    lua_rawgeti(L, 2, k + 1);
    size[k] = luaL_checkinteger(L, -1);
    luaL_argcheck(L, size[k] >= 0 && size[k] <= n, 2, "a size out of range");
    total += size[k];
    lua_pop(L, 1);
  }
  if (!lua_isnil(L, 3)) label = labels(L, 3, "split");
  if (total != n || (label != NULL && lar_tensor_numel(&label->t) != n))
    return luaL_error(L, "split: %d rows do not fit", (int)n);
  lar_var **from = lb_tensor_new(L), **out = lb_tensor_new(L);
  lb_check(L, lar_var_init(from, LAR_I64, 1, &n));
  lb_check(L, lar_var_init(out, LAR_I64, 1, &n));
  int64_t *zero = lar_tensor_data(&(*from)->t), *to = lar_tensor_data(&(*out)->t);
  for (int64_t k = 0; k < n; k++) {
    zero[k] = ((const int64_t *)lar_tensor_data(&order->t))[k] - 1;
    luaL_argcheck(L, zero[k] >= 0 && zero[k] < n, 1, "a row out of range");
  }
  check_as(
    L, "split",
    lar_deal(n, zero, label != NULL ? lar_tensor_data(&label->t) : NULL, parts, size, to));
  for (int64_t k = 0; k < n; k++) to[k]++;
  return 1;
}

/* ---- files of numbers ---- */

static lar_dtype opt_dtype(lua_State *L, int arg) {
  return lua_isnoneornil(L, arg) ? LAR_NDTYPE : lb_dtype(L, arg);
}

/* idx_read(path, dtype or nil) -> a tensor */
static int idx_read(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  lar_dtype t = opt_dtype(L, 2);
  lar_tensor made;
  lb_pressure(L);
  lar_var **out = lb_tensor_new(L);
  lar_status st = lar_idx_read(&made, path, t, lar_default_dtype);
  return answer(L, adopt(out, &made, st), 1);
}

/* npy_read(path, dtype or nil) -> a tensor */
static int npy_read(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  lar_dtype t = opt_dtype(L, 2);
  lar_tensor made;
  lb_pressure(L);
  lar_var **out = lb_tensor_new(L);
  lar_status st = lar_npy_read(&made, path, t);
  return answer(L, adopt(out, &made, st), 1);
}

/* npy_save(path, tensor) -> true */
static int npy_save(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  const lar_var *v = lb_tensor(L, 2);
  lua_pushboolean(L, true);
  return answer(L, lar_npy_save(path, &v->t), 1);
}

static const luaL_Reg methods[] = {
  {"names", frame_names},     {"read", frame_read},
  {"kinds", frame_kinds},     {"levels", frame_levels},
  {"strings", frame_strings}, {"missing", frame_missing},
  {"drop", frame_drop},       {"matrix", frame_matrix},
  {"close", frame_gc},        {NULL, NULL},
};

static const luaL_Reg meta[] = {
  {"__gc", frame_gc},
  {"__close", frame_gc},
  {NULL, NULL},
};

static const luaL_Reg lib[] = {
  {"frame", frame_open},          {"column_moments", column_moments},
  {"column_scale", column_scale}, {"column_fill", column_fill},
  {"one_hot", one_hot},           {"class_counts", class_counts},
  {"permutation", permutation},   {"deal", deal},
  {"idx_read", idx_read},         {"npy_read", npy_read},
  {"npy_save", npy_save},         {NULL, NULL},
};

void lb_open_io(lua_State *L) {
  lb_class(L, FRAME, methods, meta);
  luaL_setfuncs(L, lib, 0);
}
