/* Reading Lua arguments by an op's `args`, applying the op, pushing its results. */
#include <string.h>

#include "bind/lb.h"
#include "op/calc.h"

enum { INPUTS = 8 };

/* A number as a value, without allocation. */
typedef struct loose {
  lar_var v;
  lar_storage storage;
  double value;
} loose;

static lar_var *number_var(loose *n, lar_dtype t, double value) {
  n->storage = (lar_storage){.refs = 1, .bytes = sizeof(double), .data = &n->value};
  lar_var *v = &n->v;
  v->t.storage = &n->storage;
  v->t.offset = 0;
  v->t.dtype = t;
  v->t.ndim = 0;
  v->refs = 1;
  v->index = 0;
  v->requires_grad = false;
  v->inside = false;
  v->maker = NULL;
  v->grad = NULL;
  lar_tensor_put(&v->t, 0, value);
  return v;
}

typedef struct reader {
  lua_State *L;
  const lar_op *op;
  int arg, top; /* next argument; the last one */
  lar_attr attr;
  int nin;
  lar_var *in[INPUTS], **list; /* list: op takes any number, kept in a userdata */
  lar_var *seen[INPUTS];       /* the tensors among the first arguments */
  lar_dtype meet;              /* dtype that the tensors among the arguments meet in */
  bool brief;                  /* nothing will hold on to the inputs */
  int numbers;
  loose number[INPUTS];
} reader;

static void wrong(reader *r, const char *want) {
  luaL_error(r->L, "%s: argument %d must be %s, not %s", r->op->name, r->arg, want,
             r->arg > r->top ? "missing" : luaL_typename(r->L, r->arg));
}

/* Numbers take on the dtype of the tensors they meet. Inputs of a map outlive it only when
 * it is recorded. */
static void look_around(reader *r) {
  lar_dtype t = LAR_NDTYPE;
  r->brief = r->op->map[0] != NULL && !lar_op_observed();
  for (int k = 1; k <= r->top; k++) {
    lar_var *v = lb_tensor_test(r->L, k);
    if (k <= INPUTS) r->seen[k - 1] = v;
    if (v == NULL) continue;
    if (v->t.dtype != t) t = t == LAR_NDTYPE ? v->t.dtype : lar_dtype_promote(t, v->t.dtype);
    if (v->requires_grad && lar_grad_enabled()) r->brief = false;
  }
  r->meet = t == LAR_NDTYPE ? lar_default_dtype : t;
}

/* A number as a value that lives as long as the reader. */
static lar_var *brief_number(reader *r) {
  lar_dtype t = lb_number_dtype(r->L, r->arg, r->meet);
  if (t == LAR_BOOL || t == LAR_I64) return NULL; /* all 64 bits: the long way */
  return number_var(&r->number[r->numbers++], t, lua_tonumber(r->L, r->arg));
}

static void read_tensor(reader *r) {
  if (r->arg <= INPUTS && r->arg <= r->top && r->seen[r->arg - 1] != NULL &&
      r->nin < INPUTS) { /* most often */
    r->in[r->nin++] = r->seen[r->arg++ - 1];
    return;
  }
  int type = lua_type(r->L, r->arg);
  if (type != LUA_TUSERDATA && type != LUA_TNUMBER && type != LUA_TBOOLEAN &&
      type != LUA_TTABLE)
    wrong(r, "a tensor");
  if (r->nin == INPUTS) luaL_error(r->L, "%s: too many tensors", r->op->name);
  lar_var *v = type == LUA_TNUMBER && r->brief ? brief_number(r) : NULL;
  r->in[r->nin++] = v != NULL ? v : lb_tensor_from(r->L, r->arg, r->meet);
  r->arg++;
}

/* {a, b, c} or a, b, c */
static void read_list(reader *r) {
  lua_State *L = r->L;
  bool table = lua_istable(L, r->arg);
  int n = 0;
  if (table)
    n = (int)lua_rawlen(L, r->arg);
  else
    while (r->arg + n <= r->top && lb_tensor_test(L, r->arg + n) != NULL) n++;
  if (n == 0) wrong(r, "a list of tensors");
  lar_var **list = lua_newuserdatauv(L, (size_t)n * sizeof *list, 1);
  lua_newtable(L); /* keeps what the list points at alive */
  for (int k = 0; k < n; k++) {
    if (table)
      lua_rawgeti(L, r->arg, k + 1);
    else
      lua_pushvalue(L, r->arg + k);
    list[k] = lb_tensor_test(L, -1);
    if (list[k] == NULL)
      luaL_error(L, "%s: item %d of the list is a %s, not a tensor", r->op->name, k + 1,
                 luaL_typename(L, -1));
    lua_rawseti(L, -2, k + 1);
  }
  lua_setiuservalue(L, -2, 1);
  r->list = list;
  r->nin = n;
  r->arg += table ? 1 : n;
}

static void put_int(reader *r, int64_t v) {
  if (r->attr.n == LAR_ATTR_INTS)
    luaL_error(r->L, "%s: more than %d integers", r->op->name, LAR_ATTR_INTS);
  r->attr.i[r->attr.n++] = v;
}

static bool at_number(const reader *r) {
  return r->arg <= r->top && lua_type(r->L, r->arg) == LUA_TNUMBER;
}

static void read_int(reader *r, bool optional) {
  if (optional && (r->arg > r->top || !at_number(r))) {
    if (r->arg <= r->top && lua_isnil(r->L, r->arg)) r->arg++;
    put_int(r, LAR_NONE);
    return;
  }
  int exact;
  lua_Integer v = lua_tointegerx(r->L, r->arg, &exact);
  if (!exact) wrong(r, "an integer");
  put_int(r, v);
  r->arg++;
}

/* Integers, or a list of them; `all` may be left out. */
static void read_ints(reader *r, bool varargs, bool all) {
  lua_State *L = r->L;
  if (r->arg <= r->top && lua_istable(L, r->arg) && !lb_is_options(L, r->arg)) {
    int n = (int)lua_rawlen(L, r->arg);
    for (int k = 1; k <= n; k++) {
      int exact;
      lua_rawgeti(L, r->arg, k);
      lua_Integer v = lua_tointegerx(L, -1, &exact);
      if (!exact)
        luaL_error(L, "%s: the list at argument %d must hold integers", r->op->name, r->arg);
      put_int(r, v);
      lua_pop(L, 1);
    }
    r->arg++;
  } else if (at_number(r)) {
    do read_int(r, false);
    while (varargs && at_number(r));
  } else if (!all && !(r->arg <= r->top && lua_istable(L, r->arg))) {
    wrong(r, "an integer or a list of them");
  } else if (r->arg <= r->top && lua_isnil(L, r->arg)) {
    r->arg++;
  } else if (!all) {
    r->arg++; /* {}: the shape of a scalar */
  }
}

static void read_params(reader *r) {
  const lar_param *p = r->op->params;
  for (; r->arg <= r->top; r->arg++) {
    if (lua_isnil(r->L, r->arg)) {
      if (p != NULL && p->name != NULL) p++;
      continue;
    }
    if (r->arg == r->top && lua_istable(r->L, r->arg)) {
      lb_params(r->L, r->arg, r->op->name, r->op->params, &r->attr, NULL);
      continue;
    }
    if (p == NULL || p->name == NULL)
      luaL_error(r->L, "%s: argument %d is one too many", r->op->name, r->arg);
    lb_param(r->L, r->arg, r->op->name, r->op->params, &r->attr, p->name);
    p++;
  }
}

static void read_args(reader *r) {
  for (const char *a = r->op->args; *a != '\0'; a++) {
    bool optional = a[1] == '?';
    switch (*a) {
    case 'x':
      if (!optional ||
          (r->arg <= r->top && !lua_isnil(r->L, r->arg) && !lb_is_options(r->L, r->arg)))
        read_tensor(r);
      break;
    case 'X': read_list(r); break;
    case 'd':
    case 'i': read_int(r, optional); break;
    case 'D': read_ints(r, false, true); break;
    case 's': read_ints(r, true, false); break;
    default: break;
    }
  }
  read_params(r);
}

/* The results are owned by nobody when they come, so the objects are made before. */
static int apply(reader *r) {
  lar_var **object[LAR_MAX_OUT], *out[LAR_MAX_OUT];
  int most = r->op->nout > 0 ? r->op->nout : 1, nout;
  luaL_checkstack(r->L, LAR_MAX_OUT + 2, NULL);
  for (int k = 0; k < most; k++) object[k] = lb_tensor_new_as(r->L, lua_upvalueindex(2));
  lb_check(
    r->L, lar_op_apply(r->op, &r->attr, r->nin, r->list != NULL ? r->list : r->in, &nout, out));
  for (int k = 0; k < nout; k++)
    if (k < most)
      *object[k] = out[k];
    else
      lar_var_unref(out[k]);
  if (nout < most) lua_pop(r->L, most - nout);
  return nout < most ? nout : most;
}

static void begin(reader *r, lua_State *L, const lar_op *op) {
  r->L = L;
  r->op = op;
  r->arg = 1;
  r->top = lua_gettop(L);
  lar_attr_reset(&r->attr, op);
  r->nin = 0;
  r->list = NULL;
  r->numbers = 0;
  look_around(r);
}

/* ---- nothing but tensors, or a tensor and a number ---- */

/* A number beside a tensor of that dtype: on the stack where nothing holds on to it. */
static lar_status make_number(loose *n, lar_dtype t, bool brief, double value, lar_var **out) {
  if (!brief) return lar_var_scalar(out, t, value);
  *out = number_var(n, t, value);
  return LAR_OK;
}

static lar_status apply_with_number(const lar_op *op, lar_var **in, int at, double value,
                                    lar_var **made) {
  loose own;
  const lar_var *other = in[1 - at];
  bool brief = !lar_op_observed() && !(other->requires_grad && lar_grad_enabled());
  int nout;
  LAR_TRY(make_number(&own, other->t.dtype, brief, value, &in[at]));
  lar_status st = lar_op_apply(op, NULL, 2, in, &nout, made);
  if (!brief) lar_var_unref(in[at]);
  return st;
}

/* One result, from n tensors and no more? */
static bool takes(const lar_op *op, int n) {
  const char *a = op->args;
  if (op->nout > 1 || op->nin != n) return false;
  return n == 1 ? strcmp(a, "x") == 0 || strcmp(a, "xD") == 0 : strcmp(a, "xx") == 0;
}

/* What is seen most often; false: read the arguments one by one. */
static bool apply_plainly(lua_State *L, const lar_op *op) {
  lar_var *in[2] = {NULL, NULL}, *made[LAR_MAX_OUT];
  int n = lua_gettop(L), number = -1, nout;
  if (n < 1 || n > 2 || !takes(op, n)) return false;
  for (int k = 0; k < n; k++) {
    in[k] = lb_tensor_test(L, k + 1);
    if (in[k] != NULL) continue;
    if (op->map[0] == NULL || number >= 0 || lua_type(L, k + 1) != LUA_TNUMBER) return false;
    number = k;
  }
  if (number >= 0 && (n == 1 || !lar_dtype_is_float(in[1 - number]->t.dtype))) return false;
  lar_var **out = lb_tensor_new_as(L, lua_upvalueindex(2));
  lb_check(L, number < 0
                ? lar_op_apply(op, NULL, n, in, &nout, made)
                : apply_with_number(op, in, number, lua_tonumber(L, number + 1), made));
  *out = made[0];
  return true;
}

int lb_op_call(lua_State *L, const lar_op *op) {
  reader r;
  lb_pressure(L);
  if (apply_plainly(L, op)) return 1;
  begin(&r, L, op);
  read_args(&r);
  return apply(&r);
}

int lb_op_into(lua_State *L, const lar_op *op) {
  reader r;
  begin(&r, L, op);
  lar_var *dst = lb_tensor(L, 1);
  read_args(&r);
  lb_check(L, lar_op_into(dst, op, &r.attr, r.nin, r.list != NULL ? r.list : r.in));
  lua_settop(L, 1);
  return 1;
}
