/* Sparse linear models: what lua/lariat/glm asks of paths, folds and families. */
#include <string.h>

#include "bind/lb_family.h"
#include "bind/lb_optim.h"
#include "bind/lb_sparse.h"
#include "core/interrupt.h"
#include "core/mem.h"
#include "core/par.h"
#include "glm/cv.h"
#include "kern/copy.h"

#define JOB "lariat.glm.job"

/* All that one call owns, in an object, so that an error anywhere leaks nothing. */
typedef struct job {
  lua_State *L;
  int each, custom; /* stack places of the functions to call, or 0 */
  lar_path_ask ask;
  lar_design x;
  lar_custom call;
  lar_path path;
  lar_cv cv;
} job;

static int job_gc(lua_State *L) {
  job *j = luaL_checkudata(L, 1, JOB);
  lar_path_clear(&j->path);
  lar_cv_clear(&j->cv);
  lar_design_clear(&j->x);
  return 0;
}

/* ---- what is asked ---- */

enum { ASK = 1 };

/* Push field `key` of the ask; false (nothing pushed) where it is nil. */
static bool field(lua_State *L, const char *key) {
  if (lua_getfield(L, ASK, key) != LUA_TNIL) return true;
  lua_pop(L, 1);
  return false;
}

/* The matrix (n, k) or vector (n) in a field as k columns of n, float64; it stays on the stack.
 * NULL where the field is nil. */
static const double *columns(lua_State *L, const char *key, int64_t n, int64_t k) {
  if (!field(L, key)) return NULL;
  const lar_var *v = lb_tensor(L, lua_gettop(L));
  lar_tensor wide = v->t, t = {0};
  if (wide.ndim == 2) {
    wide.shape[0] = v->t.shape[1], wide.shape[1] = v->t.shape[0];
    wide.stride[0] = v->t.stride[1], wide.stride[1] = v->t.stride[0];
  }
  if (wide.ndim > 2 || lar_tensor_numel(&wide) != n * k || wide.shape[wide.ndim - 1] != n)
    luaL_error(L, "glm: %s has shape %s; (%I%s) is needed", key, lar_tensor_text(&v->t),
               (LUAI_UACINT)n, k > 1 ? ", as many columns as predictors" : "");
  lar_var **box = lb_tensor_new(L);
  lar_status st = lar_contiguous(&t, &wide, LAR_F64);
  if (st == LAR_OK) st = lar_var_new(box, &t);
  lar_tensor_clear(&t);
  lb_check(L, st);
  return lar_tensor_data(&(*box)->t);
}

static int64_t integer(lua_State *L, const char *key, int64_t otherwise) {
  if (!field(L, key)) return otherwise;
  otherwise = luaL_checkinteger(L, -1);
  lua_pop(L, 1);
  return otherwise;
}

static const char *text(lua_State *L, const char *key) {
  if (!field(L, key)) return NULL;
  const char *s = luaL_checkstring(L, -1); /* the ask keeps it */
  lua_pop(L, 1);
  return s;
}

static lar_status push_rows(lua_State *L, int64_t n, const double *from) {
  lar_var **box = lb_tensor_new(L);
  LAR_TRY(lar_var_init(box, LAR_F64, 1, &n));
  if (n > 0) memcpy(lar_tensor_data(&(*box)->t), from, (size_t)n * sizeof *from);
  return LAR_OK;
}

/* The loss that the caller wrote: function(eta, y, derivatives) -> each, d1, d2 */
static lar_status custom_rows(void *ctx, const lar_rows *r, const double *eta, double *each,
                              double *d1, double *d2) {
  job *j = ctx;
  lua_State *L = j->L;
  double *out[] = {each, d1, d2};
  int top = lua_gettop(L);
  if (!lua_checkstack(L, 12)) return lar_fail(LAR_ENOMEM, "custom: the Lua stack is full");
  lua_pushvalue(L, j->custom);
  lar_status st = push_rows(L, r->n, eta);
  if (st == LAR_OK)
    st = push_rows(L, r->n, r->y); /* in cross-validation, of the rows left out */
  if (st != LAR_OK) return lua_settop(L, top), st;
  lua_pushboolean(L, d1 != NULL || d2 != NULL);
  st = lb_call(L, 3, 3);
  for (int k = 0; k < 3 && st == LAR_OK; k++) {
    if (out[k] == NULL) continue;
    const lar_var *v = lb_tensor_test(L, top + 1 + k);
    if (v == NULL || lar_tensor_numel(&v->t) != r->n || v->t.dtype != LAR_F64 ||
        !lar_tensor_is_contiguous(&v->t))
      st = lar_fail(LAR_ESHAPE, "custom: the loss must give one number for each of %lld rows",
                    (long long)r->n);
    else
      memcpy(out[k], lar_tensor_data(&v->t), (size_t)r->n * sizeof **out);
  }
  if (st != LAR_ECALL) lua_settop(L, top);
  return st;
}

static void read_family(lua_State *L, job *j) {
  lar_problem *g = &j->ask.problem;
  const char *name = text(L, "family");
  g->family = lb_family(L, name != NULL ? name : "gaussian");
  if (field(L, "custom")) {
    j->custom = lua_gettop(L);
    j->call = (lar_custom){j, custom_rows};
    g->self = &j->call;
    return;
  }
  void *self = lua_newuserdatauv(L, g->family->size + 1, 0);
  if (g->family->params != NULL) lar_param_default(g->family->params, self);
  if (field(L, "family_params"))
    lb_params(L, lua_gettop(L), g->family->name, g->family->params, self, NULL);
  g->self = self;
}

static void read_x(lua_State *L, job *j) {
  lua_getfield(L, ASK, "x");
  lar_sparse *s = lb_sparse_test(L, -1);
  lb_check(L, s != NULL ? lar_design_sparse(&j->x, s)
                        : lar_design_dense(&j->x, &lb_tensor(L, lua_gettop(L))->t));
  j->ask.problem.x = &j->x;
}

static void read_rows(lua_State *L, lar_problem *g) {
  int64_t n = g->x->n, p = g->x->p, k = integer(L, "k", 1);
  bool labels = (g->family->traits & LAR_FAM_LABELS) != 0;
  g->rows = (lar_rows){.n = n, .k = k};
  g->rows.y = columns(L, "y", n, labels ? 1 : k);
  g->rows.w = columns(L, "weights", n, 1);
  g->rows.status = columns(L, "status", n, 1);
  g->offset = columns(L, "offset", n, k);
  g->factor = columns(L, "factor", p, 1);
  g->lower = columns(L, "lower", p, 1);
  g->upper = columns(L, "upper", p, 1);
}

static void read_grid(lua_State *L, lar_path_ask *a) {
  if (field(L, "lambda")) {
    a->n_lambda = lar_tensor_numel(&lb_tensor(L, lua_gettop(L))->t);
    a->lambda = columns(L, "lambda", a->n_lambda, 1);
  } else {
    a->n_lambda = integer(L, "n_lambda", 100);
  }
  a->min_ratio = lb_opt_number(L, ASK, "lambda_min_ratio", 0);
  a->lambda_max = lb_opt_number(L, ASK, "lambda_max", 0);
}

/* Read the ask, which is argument 1, into an object that is pushed. */
static job *read_ask(lua_State *L) {
  luaL_checktype(L, ASK, LUA_TTABLE);
  luaL_checkstack(L, 40, "glm");
  lb_enter(L);
  lb_pressure(L);
  job *j = lb_new(L, sizeof *j, JOB);
  lar_path_ask *a = &j->ask;
  j->L = L;
  read_family(L, j);
  read_x(L, j);
  read_rows(L, &a->problem);
  read_grid(L, a);
  lua_getfield(L, ASK, "penalty");
  a->problem.penalty = lb_reg(L, lua_gettop(L));
  if (a->problem.penalty == NULL) luaL_error(L, "glm: a penalty is needed");
  a->problem.intercept = lb_opt_flag(L, ASK, "intercept", true);
  a->problem.tol = lb_opt_number(L, ASK, "tol", 1e-6);
  a->problem.max_iter = integer(L, "max_iter", 100000);
  a->standardize = lb_opt_flag(L, ASK, "standardize", false);
  a->early_end = lb_opt_flag(L, ASK, "early_end", a->lambda == NULL);
  a->solver = text(L, "solver");
  return j;
}

/* ---- answers: a table on top of the stack gets fields ---- */

static void set_view(lua_State *L, const char *key, lar_tensor *t) {
  lar_var **box = lb_tensor_new(L);
  lb_check(L, lar_var_new(box, t));
  lua_setfield(L, -2, key);
}

/* n numbers of that dtype, copied. */
static void set_array(lua_State *L, const char *key, lar_dtype dtype, int64_t n,
                      const void *from) {
  lar_var **box = lb_tensor_new(L);
  lb_check(L, lar_var_init(box, dtype, 1, &n));
  if (n > 0) memcpy(lar_tensor_data(&(*box)->t), from, (size_t)n * lar_dtype_size(dtype));
  lua_setfield(L, -2, key);
}

/* Blocks of k columns of m, one a point, as (m, points), or (m, k, points) for k > 1. */
static void set_blocks(lua_State *L, const char *key, const lar_tensor *from, int64_t points,
                       int64_t k, int64_t m) {
  lar_tensor t = *from;
  t.ndim = k > 1 ? 3 : 2;
  t.shape[0] = m, t.stride[0] = 1;
  t.shape[1] = k, t.stride[1] = m;
  t.shape[t.ndim - 1] = points, t.stride[t.ndim - 1] = k * m;
  set_view(L, key, &t);
}

static void set_copied_blocks(lua_State *L, const char *key, const double *from, int64_t points,
                              int64_t k, int64_t m) {
  lar_var **box = lb_tensor_new(L);
  int64_t n = points * k * m;
  lb_check(L, lar_var_init(box, LAR_F64, 1, &n));
  if (n > 0) memcpy(lar_tensor_data(&(*box)->t), from, (size_t)n * sizeof *from);
  lua_insert(L, -2);
  set_blocks(L, key, &(*box)->t, points, k, m);
  lua_remove(L, -2);
}

static const char *const outcomes[] = {"converged", "max_iter", "saturated", "unbounded",
                                       "interrupted"};

static void set_status(lua_State *L, const unsigned char *status, int64_t n) {
  lua_createtable(L, (int)n, 0);
  for (int64_t l = 0; l < n; l++) {
    lua_pushstring(L, outcomes[status[l]]);
    lua_rawseti(L, -2, l + 1);
  }
  lua_setfield(L, -2, "status");
}

static void set_number(lua_State *L, const char *key, double v) {
  lua_pushnumber(L, v);
  lua_setfield(L, -2, key);
}

/* Ctrl-C has been served by a result that says so: the program's hook need not stop Lua too. */
static void served(lua_State *L) {
  lua_sethook(L, NULL, 0, 0);
  lar_interrupt_clear();
}

static void push_path(lua_State *L, const lar_path *p) {
  int64_t n = p->n;
  if (lar_interrupt_pending() && (n == 0 || p->status[n - 1] == LAR_INTERRUPTED)) served(L);
  lua_createtable(L, 0, 16);
  set_blocks(L, "coef", &p->coefs, n, p->k, p->p);
  if (p->k > 1)
    set_copied_blocks(L, "intercept", p->intercept, n, 1, p->k);
  else
    set_array(L, "intercept", LAR_F64, n, p->intercept);
  set_array(L, "lambda", LAR_F64, n, p->lambda);
  set_array(L, "loss", LAR_F64, n, p->loss);
  set_array(L, "value", LAR_F64, n, p->value);
  set_array(L, "gap", LAR_F64, n, p->gap);
  set_array(L, "kkt", LAR_F64, n, p->kkt);
  set_array(L, "dev_ratio", LAR_F64, n, p->dev_ratio);
  set_array(L, "df", LAR_I64, n, p->df);
  set_array(L, "iterations", LAR_I64, n, p->iterations);
  set_status(L, p->status, n);
  set_number(L, "null_value", p->null_value);
  set_number(L, "null_deviance", p->null_deviance);
  set_number(L, "lambda_max", p->lambda_max);
  if (p->solver != NULL) {
    lua_pushstring(L, p->solver->name);
    lua_setfield(L, -2, "solver");
  }
}

/* ---- calls ---- */

/* each(l, lambda, df, gap) after every point */
static lar_status after_point(void *ctx, int64_t l, const lar_point *at) {
  job *j = ctx;
  lua_State *L = j->L;
  if (lar_interrupt_pending()) return LAR_OK; /* Lua would be stopped at its first line */
  if (!lua_checkstack(L, 8)) return lar_fail(LAR_ENOMEM, "glm: the Lua stack is full");
  lua_pushvalue(L, j->each);
  lua_pushinteger(L, l + 1);
  lua_pushnumber(L, at->lambda);
  lua_pushinteger(L, at->df);
  lua_pushnumber(L, at->gap);
  return lb_call(L, 4, 0);
}

/* A run with another number of threads, which is put back; Ctrl-C ends it where it polls, and
 * not in the midst of a loss or a penalty that Lua works out. */
typedef struct turn {
  int threads;
  bool held;
} turn;

static turn begin(lua_State *L) {
  int64_t wanted = integer(L, "threads", 0);
  turn before = {lar_par_threads(), lar_interrupt_hold(true)};
  if (wanted > 0) lar_par_set_threads((int)wanted);
  return before;
}

static void end(turn before) {
  lar_par_set_threads(before.threads);
  lar_interrupt_hold(before.held);
}

/* glm_path(ask [, each]) -> what came of every lambda */
static int glm_path(lua_State *L) {
  lua_settop(L, 2);
  job *j = read_ask(L);
  bool told = !lua_isnil(L, 2);
  j->each = 2;
  turn before = begin(L);
  lar_status st = lar_path_fit(&j->path, &j->ask, told ? after_point : NULL, j);
  end(before);
  lb_check(L, st);
  push_path(L, &j->path);
  return 1;
}

static int glm_lambda_max(lua_State *L) {
  lua_settop(L, 1);
  job *j = read_ask(L);
  double most = 0;
  lb_check(L, lar_path_lambda_max(&j->ask, &most));
  return lua_pushnumber(L, most), 1;
}

/* glm_knots(ask) -> the path of the lasso at its knots, down to lambda_min_ratio (0) of the
 * greatest */
static int glm_knots(lua_State *L) {
  lua_settop(L, 1);
  job *j = read_ask(L);
  lar_path_ask *a = &j->ask;
  int64_t least = j->x.n < j->x.p ? j->x.n : j->x.p, n;
  double *lambda;
  lar_status st = lar_path_knots(a, a->min_ratio, 4 * least + 64, &lambda, &n);
  a->lambda = lambda;
  a->n_lambda = n;
  a->solver = "lars";
  a->early_end = false;
  if (st == LAR_OK) st = lar_path_fit(&j->path, a, NULL, NULL);
  a->lambda = NULL;
  lar_free(lambda);
  lb_check(L, st);
  push_path(L, &j->path);
  return 1;
}

/* glm_cv(ask, fold of each row (int64, from 1; 0: never left out), folds) */
static int glm_cv(lua_State *L) {
  lua_settop(L, 3);
  job *j = read_ask(L);
  const lar_tensor *given = &lb_tensor(L, 2)->t;
  int64_t n = j->x.n, folds = luaL_checkinteger(L, 3);
  if (given->dtype != LAR_I64 || lar_tensor_numel(given) != n || given->ndim != 1)
    return luaL_error(L, "cv: folds are an int64 tensor of %I rows, not %s %s", (LUAI_UACINT)n,
                      lar_dtype_name(given->dtype), lar_tensor_text(given));
  int64_t *fold = lua_newuserdatauv(L, ((size_t)n + 1) * sizeof *fold, 0);
  for (int64_t i = 0; i < n; i++)
    fold[i] = ((const int64_t *)lar_tensor_data(given))[i * given->stride[0]] - 1;
  turn before = begin(L);
  lar_status st = lar_cv_fit(&j->cv, &j->ask, fold, folds);
  end(before);
  lb_check(L, st);
  const lar_cv *cv = &j->cv;
  if (cv->interrupted) served(L);
  lua_createtable(L, 0, 8);
  set_copied_blocks(L, "eta", cv->eta, cv->points, cv->k, cv->n);
  set_copied_blocks(L, "score", cv->score, cv->points, 1, cv->folds);
  set_array(L, "weight", LAR_F64, cv->folds, cv->weight);
  set_status(L, cv->status, cv->points * cv->folds);
  set_array(L, "finished", LAR_BOOL, cv->folds, cv->finished);
  lua_pushboolean(L, cv->interrupted);
  lua_setfield(L, -2, "interrupted");
  return 1;
}

/* Predictors (n, points) or (n, k, points) as points blocks of k columns, pushed. */
static const double *push_turned(lua_State *L, const lar_var *eta, const lar_rows *r) {
  lar_tensor turned = eta->t, flat = {0};
  int64_t points = eta->t.shape[eta->t.ndim - 1];
  for (int d = 0; d < turned.ndim; d++) {
    turned.shape[d] = eta->t.shape[turned.ndim - 1 - d];
    turned.stride[d] = eta->t.stride[turned.ndim - 1 - d];
  }
  if (eta->t.ndim != (r->k > 1 ? 3 : 2) || lar_tensor_numel(&turned) != points * r->k * r->n)
    luaL_error(L, "glm: predictors of shape %s do not fit %I rows", lar_tensor_text(&eta->t),
               (LUAI_UACINT)r->n);
  lar_var **box = lb_tensor_new(L);
  lar_status st = lar_contiguous(&flat, &turned, LAR_F64);
  if (st == LAR_OK) st = lar_var_new(box, &flat);
  lar_tensor_clear(&flat);
  lb_check(L, st);
  return lar_tensor_data(&(*box)->t);
}

/* Weights that sum to 1, in an object that is pushed. */
static void push_weights(lua_State *L, lar_rows *r) {
  double *w = lua_newuserdatauv(L, ((size_t)r->n + 1) * sizeof *w, 0), total = 0;
  for (int64_t i = 0; i < r->n; i++) total += r->w != NULL ? r->w[i] : 1;
  for (int64_t i = 0; i < r->n; i++) w[i] = (r->w != NULL ? r->w[i] : 1) / total;
  r->w = w;
}

/* glm_value(ask, eta as (n, points) or (n, k, points)) -> mean loss of each point, the least
 * there can be; ask.x only gives n */
static int glm_value(lua_State *L) {
  lua_settop(L, 2);
  job *j = read_ask(L);
  lar_problem *g = &j->ask.problem;
  const lar_var *eta = lb_tensor(L, 2);
  int64_t points = eta->t.shape[eta->t.ndim - 1], each = g->rows.k * g->rows.n;
  const double *from = push_turned(L, eta, &g->rows);
  lar_var **out = lb_tensor_new(L);
  lb_check(L, lar_var_init(out, LAR_F64, 1, &points));
  push_weights(L, &g->rows);
  double *to = lar_tensor_data(&(*out)->t), least = 0;
  lar_status st = g->family->ready != NULL ? g->family->ready(g->self, &g->rows) : LAR_OK;
  if (st == LAR_OK) least = g->family->saturated(g->self, &g->rows);
  for (int64_t l = 0; l < points && st == LAR_OK; l++)
    st = g->family->value(g->self, &g->rows, from + l * each, to + l);
  if (g->family->unready != NULL) g->family->unready(&g->rows);
  lb_check(L, st);
  lb_tensor_push(L, *out);
  lua_pushnumber(L, least);
  return 2;
}

static const luaL_Reg meta[] = {{"__gc", job_gc}, {"__close", job_gc}, {NULL, NULL}};
static const luaL_Reg nothing[] = {{NULL, NULL}};

static const luaL_Reg lib[] = {
  {"glm_path", glm_path}, {"glm_lambda_max", glm_lambda_max}, {"glm_knots", glm_knots},
  {"glm_cv", glm_cv},     {"glm_value", glm_value},           {NULL, NULL},
};

void lb_open_glm(lua_State *L) {
  lb_class(L, JOB, nothing, meta);
  luaL_setfuncs(L, lib, 0);
}
