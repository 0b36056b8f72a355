/* lariat.core.fit: the training loop with its hooks in Lua. The Lua side (lariat/train.lua)
 * reads the user's options and hands over one plain table. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "bind/lb_key.h"
#include "bind/lb_model.h"
#include "bind/lb_optim.h"
#include "core/mem.h"
#include "train/fit.h"

#define FIT "lariat.fit"

enum { CONFIG = 1, STATE = 2 }; /* places on the stack of core.fit, all through the run */

typedef struct run {
  lua_State *L;
  lar_fit *f;
} run;

/* ---- hooks ---- */

static lar_status call_hook(run *r, const char *name) {
  lua_State *L = r->L;
  if (r->f->status == LAR_FIT_INTERRUPTED) /* seen already: Lua code need not be stopped too */
    lua_sethook(L, NULL, 0, 0);
  if (!lua_checkstack(L, 8)) return lar_fail(LAR_ENOMEM, "fit: the Lua stack is full");
  lua_getfield(L, CONFIG, name);
  lua_pushvalue(L, STATE);
  return lb_call(L, 1, 0);
}

static lar_status before_step(void *ctx, lar_fit *f) { return call_hook(ctx, "before_step"); }
static lar_status after_step(void *ctx, lar_fit *f) { return call_hook(ctx, "after_step"); }
static lar_status epoch_end(void *ctx, lar_fit *f) { return call_hook(ctx, "epoch_end"); }

static void progress(void *ctx, lar_fit *f) {
  run *r = ctx;
  (void)call_hook(r, "progress"); /* a failing display must not end the work */
  lb_forget_error(r->L);
}

static lar_status begin(void *ctx, int64_t epoch) {
  run *r = ctx;
  lua_getfield(r->L, CONFIG, "begin");
  lua_pushinteger(r->L, epoch);
  return lb_call(r->L, 1, 0);
}

static lar_var *taken(lua_State *L, int at) { return lar_var_ref(lb_tensor_test(L, at)); }

static lar_status next(void *ctx, lar_batch *b, bool *end) {
  run *r = ctx;
  lua_State *L = r->L;
  lua_getfield(L, CONFIG, "next");
  LAR_TRY(lb_call(L, 0, 3));
  *end = lua_isnil(L, -3);
  if (!*end) { /* train.lua has checked that these are tensors */
    b->x = taken(L, -3);
    b->y = taken(L, -2);
    b->weight = taken(L, -1);
  }
  lua_pop(L, 3);
  return LAR_OK;
}

static void push_value(lua_State *L, lar_var *v) {
  if (v == NULL)
    lua_pushnil(L);
  else
    lb_tensor_push(L, v);
}

/* Runs protected: making the arguments can fail for want of memory. */
static int call_loss(lua_State *L) {
  lar_var **arg = lua_touserdata(L, 2);
  lua_settop(L, 1);
  for (int k = 0; k < 3; k++) push_value(L, arg[k]);
  lua_call(L, 3, 1);
  if (lb_tensor_test(L, -1) == NULL)
    return luaL_error(L, "fit: the loss function returned a %s, not a tensor",
                      luaL_typename(L, -1));
  return 1;
}

static lar_status loss(void *ctx, lar_var *pred, const lar_batch *b, lar_var **out) {
  run *r = ctx;
  lua_State *L = r->L;
  lar_var *arg[3] = {pred, b->y, b->weight};
  *out = NULL;
  lua_pushcfunction(L, call_loss);
  lua_getfield(L, CONFIG, "loss");
  lua_pushlightuserdata(L, arg);
  LAR_TRY(lb_call(L, 2, 1));
  *out = taken(L, -1);
  lua_pop(L, 1);
  if (lar_tensor_numel(&(*out)->t) == 1) return LAR_OK;
  lar_status st = lar_fail(LAR_ESHAPE,
                           "fit: the loss function returned a tensor of shape %s, "
                           "not one number; take its mean",
                           lar_tensor_text(&(*out)->t));
  lar_var_unref(*out);
  *out = NULL;
  return st;
}

/* Runs protected: (run, key) */
static int put_key(lua_State *L) {
  run *r = lua_touserdata(L, 1);
  lar_key *k = lua_touserdata(L, 2);
  if (r->f->loss == NULL) lb_key_value(L, 3, k);
  lb_key_module(L, r->f->model, k);
  return 0;
}

/* What the Lua side of a step depends on. */
static void key(void *ctx, lar_key *k) {
  run *r = ctx;
  lua_State *L = r->L;
  if (!lua_checkstack(L, 8)) return;
  lua_pushcfunction(L, put_key);
  lua_pushlightuserdata(L, r);
  lua_pushlightuserdata(L, k);
  lua_getfield(L, CONFIG, "loss");
  if (lb_call(L, 3, 0) == LAR_OK) return;
  lb_forget_error(L);
  k->status = LAR_ECALL;
}

/* ---- reading the configuration ---- */

static lar_var *field_tensor(lua_State *L, const char *name) {
  lar_var *v = NULL;
  if (lua_getfield(L, CONFIG, name) != LUA_TNIL) v = lb_tensor(L, -1);
  lua_pop(L, 1);
  return lar_var_ref(v);
}

static bool has(lua_State *L, const char *name) {
  bool yes = lua_getfield(L, CONFIG, name) != LUA_TNIL;
  lua_pop(L, 1);
  return yes;
}

static void read_hooks(lua_State *L, lar_fit *f, run *r) {
  f->hooks.ctx = r;
  f->hooks.key = key;
  if (has(L, "begin")) f->hooks.begin = begin, f->hooks.next = next;
  if (has(L, "before_step")) f->hooks.before_step = before_step;
  if (has(L, "after_step")) f->hooks.after_step = after_step;
  if (has(L, "epoch_end")) f->hooks.epoch_end = epoch_end;
  if (has(L, "progress")) f->hooks.progress = progress;
}

static int64_t field_integer(lua_State *L, const char *name, int64_t def) {
  return (int64_t)lb_opt_number(L, CONFIG, name, (double)def);
}

static void read_settings(lua_State *L, lar_fit *f) {
  f->epochs = field_integer(L, "epochs", 1);
  f->epoch = field_integer(L, "epoch", 0);
  f->step = field_integer(L, "step", 0);
  f->skip = field_integer(L, "skip", 0);
  f->former = lb_opt_number(L, CONFIG, "former", HUGE_VAL);
  f->batch_size = field_integer(L, "batch_size", 32);
  f->max_steps = field_integer(L, "max_steps", 0);
  f->accumulate = field_integer(L, "accumulate", 1);
  f->shuffle = lb_opt_flag(L, CONFIG, "shuffle", true);
  f->drop_last = lb_opt_flag(L, CONFIG, "drop_last", false);
  f->keep_train = lb_opt_flag(L, CONFIG, "keep_train", false);
  f->dynamic = lb_opt_flag(L, CONFIG, "dynamic", false);
  f->profile = lb_opt_flag(L, CONFIG, "profile", false);
  f->keep_gradients = lb_opt_flag(L, CONFIG, "keep_gradients", false);
  f->keep_val = lb_opt_flag(L, CONFIG, "keep_val", false);
  f->time_limit = lb_opt_number(L, CONFIG, "time_limit", 0);
  f->tol = lb_opt_number(L, CONFIG, "tol", 0);
  f->grad_tol = lb_opt_number(L, CONFIG, "grad_tol", 0);
  f->gap_tol = lb_opt_number(L, CONFIG, "gap_tol", 0);
  f->shuffler = lar_rng_stream("shuffle");
  f->data = (lar_batch){field_tensor(L, "x"), field_tensor(L, "y"), field_tensor(L, "weight")};
  f->val = (lar_batch){field_tensor(L, "val_x"), field_tensor(L, "val_y"),
                       field_tensor(L, "val_weight")};
}

/* ---- the object that hooks and the history read ---- */

static int fit_gc(lua_State *L) {
  lar_fit_clear(luaL_checkudata(L, 1, FIT));
  return 0;
}

typedef struct number {
  const char *name;
  size_t at;
  bool real;
} number;

static const number numbers[] = {
  {"epoch", offsetof(lar_fit, epoch), false},
  {"step", offsetof(lar_fit, step), false},
  {"batch", offsetof(lar_fit, batch), false},
  {"batches", offsetof(lar_fit, batches), false},
  {"batch_loss", offsetof(lar_fit, batch_loss), true},
  {"seconds", offsetof(lar_fit, seconds), true},
};

/* Asked for again and again, so a table in the registry finds them by name. */
static void list_numbers(lua_State *L) {
  lua_newtable(L);
  for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
    lua_pushlightuserdata(L, (void *)(uintptr_t)&numbers[k]);
    lua_setfield(L, -2, numbers[k].name);
  }
  lua_rawsetp(L, LUA_REGISTRYINDEX, numbers);
}

/* Pushes the number of that name, if there is one. */
static bool push_number(lua_State *L, const lar_fit *f, int name) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, numbers);
  lua_pushvalue(L, name);
  lua_rawget(L, -2);
  const number *x = lua_touserdata(L, -1);
  if (x == NULL) return false;
  const void *p = (const char *)f + x->at;
  if (x->real)
    lua_pushnumber(L, *(const double *)p);
  else
    lua_pushinteger(L, *(const int64_t *)p);
  return true;
}

static void put_number(lua_State *L, const char *name, double x) {
  lua_pushnumber(L, x);
  lua_setfield(L, -2, name);
}

static void put_terms(lua_State *L, const lar_fit *f) {
  const lar_bound *b = f->optim != NULL ? f->optim->bound : NULL;
  for (int k = 0; b != NULL && k < f->nterm && k < lar_bound_terms(b); k++) {
    lua_pushfstring(L, "penalty_%s", lar_bound_name(b, k));
    lua_pushnumber(L, f->term[k]);
    lua_rawset(L, -3);
  }
}

/* What was measured in the epoch, at once: short epochs are many. */
static int push_record(lua_State *L, const lar_fit *f) {
  lua_createtable(L, 0, 8 + f->nterm);
  lua_pushinteger(L, f->epoch), lua_setfield(L, -2, "epoch");
  lua_pushinteger(L, f->step), lua_setfield(L, -2, "step");
  put_number(L, "loss", f->epoch_loss);
  put_number(L, "penalty", f->penalty);
  put_number(L, "objective", f->objective);
  put_number(L, "lr", f->optim != NULL ? f->optim->lr : 0);
  put_number(L, "seconds", f->epoch_seconds);
  if (!isnan(f->gap)) put_number(L, "gap", f->gap);
  if (!isnan(f->val_loss)) put_number(L, "val_loss", f->val_loss);
  put_terms(L, f);
  return 1;
}

/* fit:shuffle_state() -> key, position of the shuffling stream when the epoch began */
static int shuffle_state(lua_State *L) {
  const lar_fit *f = luaL_checkudata(L, 1, FIT);
  lua_pushinteger(L, (lua_Integer)f->epoch_rng.key);
  lua_pushinteger(L, (lua_Integer)f->epoch_rng.at);
  return 2;
}

/* The kernels of the plan that ran most steps, or nil. */
static void push_kernels(lua_State *L, const lar_fit *f) {
  const lar_plan *p = f->steps != NULL ? lar_steps_plan(f->steps) : NULL;
  if (p != NULL)
    lb_plan_kernels(L, p);
  else
    lua_pushnil(L);
}

static int fit_index(lua_State *L) {
  lar_fit *f = luaL_checkudata(L, 1, FIT);
  const char *key = luaL_checkstring(L, 2);
  if (strcmp(key, "record") == 0) return push_record(L, f);
  if (push_number(L, f, 2)) return 1;
  if (strcmp(key, "shuffle_state") == 0) return lua_pushcfunction(L, shuffle_state), 1;
  if (strcmp(key, "status") == 0) return lua_pushstring(L, lar_fit_status_name(f->status)), 1;
  if (strcmp(key, "kernels") == 0) return push_kernels(L, f), 1;
  if (strcmp(key, "plan") == 0) return lua_pushstring(L, f->plan), 1;
  if (strcmp(key, "train_pred") == 0) return push_value(L, f->train_pred), 1;
  if (strcmp(key, "train_y") == 0) return push_value(L, f->train_y), 1;
  if (strcmp(key, "val_pred") == 0) return push_value(L, f->val_pred), 1;
  if (strcmp(key, "grad_norm") == 0)
    return lua_pushnumber(L, f->optim != NULL ? f->optim->grad_norm : 0), 1;
  return 0;
}

/* fit.status = "stopped" | "early_stop" | ... ends the run */
static int fit_newindex(lua_State *L) {
  lar_fit *f = luaL_checkudata(L, 1, FIT);
  const char *key = luaL_checkstring(L, 2), *name = luaL_checkstring(L, 3);
  if (strcmp(key, "status") != 0) return luaL_error(L, "fit: '%s' cannot be set", key);
  for (int k = LAR_FIT_RUNNING; k <= LAR_FIT_TIME_LIMIT; k++)
    if (strcmp(name, lar_fit_status_name((lar_fit_status)k)) == 0) {
      f->status = (lar_fit_status)k;
      return 0;
    }
  return luaL_error(L, "fit: no status '%s'", name);
}

/* Model, optimiser and loss are borrowed from objects that the configuration keeps alive;
 * after the run only results are read. */
static void let_go(lar_fit *f, const run *r) {
  if (f->hooks.ctx != r) return;
  f->hooks = (lar_fit_hooks){0};
  f->model = NULL;
  f->loss = NULL;
  lar_batch_clear(&f->data);
  lar_batch_clear(&f->val);
}

/* fit(config, state) -> fit object. state.fit is set to it before the first hook. */
static int core_fit(lua_State *L) {
  luaL_checktype(L, CONFIG, LUA_TTABLE);
  luaL_checktype(L, STATE, LUA_TTABLE);
  lua_settop(L, STATE);
  lar_fit *f = lb_new(L, sizeof *f, FIT);
  int self = lua_gettop(L);
  run r = {L, f};
  lb_state state = {L, STATE};
  lua_pushvalue(L, self);
  lua_setfield(L, STATE, "fit");
  lua_getfield(L, CONFIG, "model");
  f->model = lb_module(L, -1);
  lua_getfield(L, CONFIG, "optimizer");
  f->optim = lb_optim(L, -1);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, self, 1); /* terms are read from it after the run too */
  lua_getfield(L, CONFIG, "loss");
  f->loss = lb_criterion_test(L, -1);
  read_settings(L, f);
  read_hooks(L, f, &r);
  if (f->loss == NULL) f->hooks.loss = loss;
  f->hooks.state = &state;
  lb_enter(L);
  lar_status st = lar_fit_run(f);
  if (f->status == LAR_FIT_INTERRUPTED) {
    lua_sethook(L, NULL, 0, 0); /* the program's handler has set one to stop Lua code */
    lb_forget_error(L);
  }
  let_go(f, &r);
  lb_check(L, st);
  lua_settop(L, self);
  return 1;
}

static int is_terminal(lua_State *L) {
  return lua_pushboolean(L, isatty((int)luaL_optinteger(L, 1, 2))), 1;
}

/* seed_streams(seed): restart the streams that training draws from */
static int seed_streams(lua_State *L) {
  uint64_t seed = (uint64_t)luaL_checkinteger(L, 1);
  *lar_rng_stream("shuffle") = lar_rng_make(seed, "shuffle");
  *lar_rng_stream("dropout") = lar_rng_make(seed, "dropout");
  return 0;
}

/* seed_stream(name, seed): restart one stream */
static int seed_stream(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  *lar_rng_stream(name) = lar_rng_make((uint64_t)luaL_checkinteger(L, 2), name);
  return 0;
}

/* stream(name) -> key, position; stream(name, key, position) */
static int stream(lua_State *L) {
  lar_rng *r = lar_rng_stream(luaL_checkstring(L, 1));
  if (!lua_isnoneornil(L, 2)) {
    r->key = (uint64_t)luaL_checkinteger(L, 2);
    r->at = (uint64_t)luaL_checkinteger(L, 3);
  }
  lua_pushinteger(L, (lua_Integer)r->key);
  lua_pushinteger(L, (lua_Integer)r->at);
  return 2;
}

/* streams() -> a list of {name, key, at} */
static int streams(lua_State *L) {
  lar_rng *r;
  const char *name;
  lua_newtable(L);
  for (int k = 0; (name = lar_rng_nth(k, &r)) != NULL; k++) {
    lua_createtable(L, 0, 3);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "name");
    lua_pushinteger(L, (lua_Integer)r->key);
    lua_setfield(L, -2, "key");
    lua_pushinteger(L, (lua_Integer)r->at);
    lua_setfield(L, -2, "at");
    lua_rawseti(L, -2, k + 1);
  }
  return 1;
}

static const luaL_Reg lib[] = {
  {"fit", core_fit},
  {"is_terminal", is_terminal},
  {"seed_streams", seed_streams},
  {"seed_stream", seed_stream},
  {"stream", stream},
  {"streams", streams},
  {NULL, NULL},
};

static const luaL_Reg meta[] = {
  {"__gc", fit_gc},
  {"__index", fit_index},
  {"__newindex", fit_newindex},
  {NULL, NULL},
};

void lb_open_train(lua_State *L) {
  luaL_setfuncs(L, lib, 0);
  lb_class(L, FIT, NULL, meta);
  list_numbers(L);
}
