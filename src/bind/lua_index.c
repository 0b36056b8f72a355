/* t[key] and t[key] = value for every kind of key but strings. */
#include "bind/lb.h"
#include "kern/copy.h"
#include "kern/masked.h"
#include "op/calc.h"
#include "op/slice.h"

/* One item of a list of keys, for dimension d: i, {}, {i}, {from, to} or {from, to, step}. */
static void read_range(lua_State *L, int item, const lar_tensor *t, int d, int64_t *r) {
  int64_t part[3] = {1, t->shape[d], 1};
  int n = (int)lua_rawlen(L, item);
  if (n > 3) luaL_error(L, "index: a range is {}, {i}, {from, to} or {from, to, step}");
  for (int k = 0; k < n; k++) {
    int exact;
    lua_rawgeti(L, item, k + 1);
    part[k] = lua_tointegerx(L, -1, &exact);
    if (!exact) luaL_error(L, "index: a range holds integers; found %s", lb_text(L, -1));
    if (part[k] > INT32_MAX * INT64_C(1000) || part[k] < INT32_MAX * INT64_C(-1000))
      luaL_error(L, "index: %I is out of any range", (lua_Integer)part[k]);
    lua_pop(L, 1);
  }
  if (n == 1) part[1] = part[0];
  if (part[2] == 0) luaL_error(L, "index: the step of a range cannot be 0");
  int64_t size = t->shape[d], from = part[0] < 0 ? part[0] + size : part[0] - 1,
          to = part[1] < 0 ? part[1] + size : part[1] - 1,
          span = part[2] > 0 ? to - from : from - to, step = part[2] > 0 ? part[2] : -part[2];
  int64_t count = span < 0 ? 0 : span / step + 1;
  if (count > 0 && (from < 0 || from >= size || to < 0 || to >= size))
    luaL_error(L, "index: {%d, %d} is not in 1..%d, dimension %d of %s", (int)part[0],
               (int)part[1], (int)size, d + 1, lar_tensor_text(t));
  r[0] = count > 0 ? from : 0;
  r[1] = count;
  r[2] = part[2];
}

static void read_one(lua_State *L, int64_t i, const lar_tensor *t, int d, int64_t *r) {
  if (lar_index(i, t->shape[d], &r[0]) != LAR_OK)
    luaL_error(L, "%s of dimension %d of %s", lar_why(), d + 1, lar_tensor_text(t));
  r[1] = r[2] = r[3] = 1;
}

/* The key at stack index 2 as a cut through t. */
static lar_attr read_cut(lua_State *L, const lar_tensor *t) {
  lar_attr cut = lar_slice_all(t);
  int exact;
  if (t->ndim == 0) luaL_error(L, "index: a scalar cannot be indexed; use x:item()");
  if (lua_type(L, 2) == LUA_TNUMBER) {
    lua_Integer i = lua_tointegerx(L, 2, &exact);
    if (!exact) luaL_error(L, "index: %s is not an integer", lb_text(L, 2));
    read_one(L, i, t, 0, cut.i);
    return cut;
  }
  if (!lua_istable(L, 2))
    luaL_error(
      L, "index: a tensor is indexed by integers, lists of ranges or tensors, not by a %s",
      luaL_typename(L, 2));
  int n = (int)lua_rawlen(L, 2);
  if (n > t->ndim)
    luaL_error(L, "index: %d indices for a tensor of shape %s", n, lar_tensor_text(t));
  for (int d = 0; d < n; d++) {
    lua_rawgeti(L, 2, d + 1);
    if (lua_istable(L, -1)) {
      read_range(L, lua_gettop(L), t, d, &cut.i[4 * d]);
    } else {
      lua_Integer i = lua_tointegerx(L, -1, &exact);
      if (!exact)
        luaL_error(L, "index: item %d must be an integer or a range {from, to}, not a %s",
                   d + 1, luaL_typename(L, -1));
      read_one(L, i, t, d, &cut.i[4 * d]);
    }
    lua_pop(L, 1);
  }
  return cut;
}

static int apply1(lua_State *L, const lar_op *op, const lar_attr *attr, int nin,
                  lar_var *const *in) {
  lar_var **p = lb_tensor_new(L), *out[LAR_MAX_OUT];
  int nout;
  lb_check(L, lar_op_apply(op, attr, nin, in, &nout, out));
  *p = out[0];
  return 1;
}

int lb_tensor_index(lua_State *L) {
  lar_var *v = lb_tensor(L, 1), *key = lb_tensor_test(L, 2);
  lb_pressure(L);
  if (key != NULL) {
    if (key->t.dtype == LAR_BOOL)
      return apply1(L, LAR_OP(masked_select), NULL, 2, (lar_var *[]){v, key});
    if (key->t.dtype != LAR_I64)
      return luaL_error(L, "index: a tensor of indices must be int64 or bool, not %s",
                        lar_dtype_name(key->t.dtype));
    lar_attr first = {.n = 1, .i = {1}};
    return apply1(L, LAR_OP(index_select), &first, 2, (lar_var *[]){v, key});
  }
  lar_attr cut = read_cut(L, &v->t);
  if (lua_type(L, 2) == LUA_TNUMBER && v->t.ndim == 1) { /* an element: a Lua number */
    int64_t at = cut.i[0] * v->t.stride[0];
    lb_check(L, lar_op_peek("x[i], an element as a number,"));
    if (v->t.dtype == LAR_I64)
      lua_pushinteger(L, ((int64_t *)lar_tensor_data(&v->t))[at]);
    else if (v->t.dtype == LAR_BOOL)
      lua_pushboolean(L, lar_tensor_get(&v->t, at) != 0);
    else
      lua_pushnumber(L, lar_tensor_get(&v->t, at));
    return 1;
  }
  return apply1(L, LAR_OP(slice), &cut, 1, &v);
}

/* ---- assignment ---- */

static lar_status assign_part(lar_var *v, const lar_attr *cut, const lar_tensor *value) {
  lar_tensor part = {0}, own = {0};
  lar_status st = lar_slice_view(&part, &v->t, cut);
  if (st == LAR_OK && lar_overlap(&part, value)) st = lar_clone(&own, value, value->dtype);
  if (st == LAR_OK) st = lar_copy(&part, own.storage != NULL ? &own : value);
  lar_tensor_clear(&part);
  lar_tensor_clear(&own);
  return st;
}

/* The one element of x, so many times. */
static lar_status repeated(lar_tensor *x, int64_t count) {
  lar_tensor one = *x, wide = {0};
  one.ndim = 1;
  one.shape[0] = one.stride[0] = 1;
  lar_status st = lar_tensor_expand(&wide, &one, 1, &count);
  *x = (lar_tensor){0};
  if (st == LAR_OK) st = lar_clone(x, &wide, wide.dtype);
  lar_tensor_clear(&one);
  lar_tensor_clear(&wide);
  return st;
}

/* v[mask] = value: one value for all, or as many as there are trues, in row-major order. */
static lar_status assign_masked(lar_var *v, const lar_tensor *mask, const lar_tensor *value) {
  lar_tensor m = {0}, x = {0}, work = {0};
  lar_masked on = {0};
  lar_status st = LAR_OK;
  if (!lar_tensor_same_shape(&v->t, mask))
    return lar_fail(LAR_ESHAPE, "a mask of shape %s does not fit %s", lar_tensor_text(mask),
                    lar_tensor_text(&v->t));
  LAR_GO(lar_contiguous(&m, mask, LAR_BOOL));
  LAR_GO(lar_clone(&x, value, v->t.dtype));
  LAR_GO(lar_masked_init(&on, lar_tensor_data(&m), lar_tensor_numel(&m)));
  int64_t have = lar_tensor_numel(&x);
  if (have != 1 && have != on.count) {
    st = lar_fail(LAR_ESHAPE, "the mask holds %lld places and the value %lld elements",
                  (long long)on.count, (long long)have);
    goto done;
  }
  if (have == 1) LAR_GO(repeated(&x, on.count));
  bool in_place = lar_tensor_is_contiguous(&v->t) && v->t.storage != m.storage;
  if (in_place)
    lar_tensor_ref(&work, &v->t);
  else
    LAR_GO(lar_clone(&work, &v->t, v->t.dtype));
  lar_masked_put(&on, lar_tensor_data(&work), lar_tensor_data(&x), lar_dtype_size(work.dtype));
  if (!in_place) st = lar_copy(&v->t, &work);
done:
  lar_masked_clear(&on);
  lar_tensor_clear(&m);
  lar_tensor_clear(&x);
  lar_tensor_clear(&work);
  return st;
}

/* v[ids] = value: rows of v; a repeated id keeps the last. */
static lar_status assign_rows(lar_var *v, const lar_tensor *ids, const lar_tensor *value) {
  lar_tensor id = {0}, wide = {0}, own = {0};
  lar_status st = LAR_OK;
  int64_t shape[LAR_MAX_NDIM], at;
  if (ids->ndim != 1 || v->t.ndim == 0)
    return lar_fail(LAR_ESHAPE, "indices of shape %s cannot assign to %s", lar_tensor_text(ids),
                    lar_tensor_text(&v->t));
  for (int d = 0; d < v->t.ndim; d++) shape[d] = d == 0 ? ids->shape[0] : v->t.shape[d];
  LAR_GO(lar_contiguous(&id, ids, LAR_I64));
  if (lar_overlap(&v->t, value)) {
    LAR_GO(lar_clone(&own, value, value->dtype));
    value = &own;
  }
  LAR_GO(lar_tensor_expand(&wide, value, v->t.ndim, shape));
  const int64_t *i = lar_tensor_data(&id);
  for (int64_t k = 0; k < shape[0]; k++) LAR_GO(lar_index(i[k], v->t.shape[0], &at));
  for (int64_t k = 0; k < shape[0] && st == LAR_OK; k++) {
    lar_attr cut = lar_slice_all(&v->t);
    (void)lar_index(i[k], v->t.shape[0], &cut.i[0]);
    cut.i[1] = cut.i[3] = 1;
    lar_attr row = lar_slice_all(&wide);
    row.i[0] = k;
    row.i[1] = row.i[3] = 1;
    lar_tensor one = {0};
    st = lar_slice_view(&one, &wide, &row);
    if (st == LAR_OK) st = assign_part(v, &cut, &one);
    lar_tensor_clear(&one);
  }
done:
  lar_tensor_clear(&id);
  lar_tensor_clear(&wide);
  lar_tensor_clear(&own);
  return st;
}

int lb_tensor_newindex(lua_State *L) {
  lar_var *v = lb_tensor(L, 1), *key = lb_tensor_test(L, 2);
  lar_var *value = lb_tensor_from(L, 3, v->t.dtype);
  lb_check(L, lar_var_writable(v, true));
  if (lar_grad_enabled() && value->requires_grad)
    return luaL_error(L, "assignment would lose the derivative of the value; assign "
                         "value:detach(), or build the result with lariat.cat or lariat.where");
  lar_status st;
  if (key == NULL) {
    lar_attr cut = read_cut(L, &v->t);
    st = assign_part(v, &cut, &value->t);
  } else if (key->t.dtype == LAR_BOOL) {
    st = assign_masked(v, &key->t, &value->t);
  } else if (key->t.dtype == LAR_I64) {
    st = assign_rows(v, &key->t, &value->t);
  } else {
    return luaL_error(L, "index: a tensor of indices must be int64 or bool, not %s",
                      lar_dtype_name(key->t.dtype));
  }
  if (st != LAR_OK) return luaL_error(L, "assignment: %s", lar_why());
  v->t.storage->version++;
  return 0;
}

/* ---- cutting into a list ---- */

/* Append to the list on top the part of v at stack index 1 from `from` on. */
static void push_part(lua_State *L, lar_var *v, int d, int64_t from, int64_t n, bool drop) {
  lar_attr cut = lar_slice_all(&v->t);
  cut.i[4 * d] = from;
  cut.i[4 * d + 1] = n;
  cut.i[4 * d + 3] = drop;
  (void)apply1(L, LAR_OP(slice), &cut, 1, &v);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

static int read_dim(lua_State *L, int arg, const char *owner, const lar_var *v) {
  int d;
  if (lar_dim(luaL_optinteger(L, arg, 1), v->t.ndim, &d) != LAR_OK)
    luaL_error(L, "%s: %s", owner, lar_why());
  return d;
}

static int equal_parts(lua_State *L, const char *owner, lar_var *v, int d, int64_t size) {
  int64_t n = v->t.shape[d];
  if (size < 1) return luaL_error(L, "%s: parts of %I elements", owner, (lua_Integer)size);
  lua_newtable(L);
  for (int64_t at = 0; at < n; at += size)
    push_part(L, v, d, at, n - at < size ? n - at : size, false);
  return 1;
}

/* split(size or {sizes}, dim = 1) -> a list of views */
int lb_tensor_split(lua_State *L) {
  lar_var *v = lb_tensor(L, 1);
  lb_pressure(L);
  int d = read_dim(L, 3, "split", v);
  if (!lua_istable(L, 2)) return equal_parts(L, "split", v, d, luaL_checkinteger(L, 2));
  int n = (int)lua_rawlen(L, 2);
  int64_t at = 0;
  lua_settop(L, 2);
  lua_newtable(L);
  for (int k = 1; k <= n; k++) {
    int exact;
    lua_rawgeti(L, 2, k);
    int64_t size = lua_tointegerx(L, -1, &exact);
    lua_pop(L, 1);
    if (!exact || size < 0 || size > v->t.shape[d] - at)
      return luaL_error(L, "split: size %d of the list does not fit dimension %d of %s", k,
                        d + 1, lar_tensor_text(&v->t));
    push_part(L, v, d, at, size, false);
    at += size;
  }
  if (at != v->t.shape[d])
    return luaL_error(L, "split: the sizes add up to %d, dimension %d of %s does not", (int)at,
                      d + 1, lar_tensor_text(&v->t));
  return 1;
}

/* chunk(count, dim = 1) -> a list of at most `count` views of one size, the last may be less */
int lb_tensor_chunk(lua_State *L) {
  lar_var *v = lb_tensor(L, 1);
  lb_pressure(L);
  int64_t count = luaL_checkinteger(L, 2);
  int d = read_dim(L, 3, "chunk", v);
  if (count < 1) return luaL_error(L, "chunk: into %I parts", (lua_Integer)count);
  int64_t n = v->t.shape[d];
  return equal_parts(L, "chunk", v, d, n > 0 ? (n - 1) / count + 1 : 1);
}

/* unbind(dim = 1) -> a list of views, one for each index of a dimension, which goes away */
int lb_tensor_unbind(lua_State *L) {
  lar_var *v = lb_tensor(L, 1);
  lb_pressure(L);
  int d = read_dim(L, 2, "unbind", v);
  lua_newtable(L);
  for (int64_t k = 0; k < v->t.shape[d]; k++) push_part(L, v, d, k, 1, true);
  return 1;
}
