/* Steps by hand: gradients, strengths, averages. */
#include <string.h>

#include "bind/lb_optim.h"

int lb_optim_zero_grad(lua_State *L) {
  lar_optim_zero_grad(lb_optim(L, 1));
  lua_settop(L, 1);
  return 1;
}

static bool has_functions(const lar_reg *r) {
  for (int k = 0; r != NULL && k < r->n; k++)
    if (r->at[k].term->lambda_fn != NULL) return true;
  return false;
}

void lb_push_step(lua_State *L, const lar_optim *o) {
  if (!has_functions(o->reg)) {
    lua_pushnil(L);
    return;
  }
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, o->t + 1);
  lua_setfield(L, -2, "step");
  lua_pushinteger(L, 0);
  lua_setfield(L, -2, "epoch");
  lua_pushnumber(L, o->lr);
  lua_setfield(L, -2, "lr");
  lua_pushvalue(L, 1);
  lua_setfield(L, -2, "optimizer");
}

/* The loss as a function, for rules that look at it more than once. */
enum { CLOSURE = 2, STATE = 3, BATCHES = 4 };

/* Runs protected: (closure, part) -> loss, weight */
static int call_closure(lua_State *L) {
  lua_call(L, 1, 2);
  const lar_var *v = lb_tensor_test(L, 1);
  if (v == NULL || lar_tensor_numel(&v->t) != 1)
    return luaL_error(L, "step: the function returned a %s, not a loss of one number",
                      v != NULL ? "tensor of several" : luaL_typename(L, 1));
  if (!lua_isnil(L, 2) && !(lua_tonumber(L, 2) > 0))
    return luaL_error(L, "step: the weight of a batch is a number above 0, not %s",
                      luaL_tolstring(L, 2, NULL));
  return 2;
}

static lar_var *closure_loss(void *ctx, lar_scope *s, int64_t part, double *weight) {
  lua_State *L = ctx;
  if (!lua_checkstack(L, 8))
    return lar_scope_fail(s, lar_fail(LAR_ENOMEM, "step: the Lua stack is full"));
  lua_pushcfunction(L, call_closure);
  lua_pushvalue(L, CLOSURE);
  lua_pushinteger(L, part + 1);
  lar_status st = lb_call(L, 2, 2);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  lar_var *v = lar_scope_own(s, lar_var_ref(lb_tensor_test(L, -2)));
  *weight = lua_isnil(L, -1) ? 1 : lua_tonumber(L, -1);
  lua_pop(L, 2);
  return v;
}

/* opt:step(closure [, state [, batches]]) of a rule for whole data */
static int step_whole(lua_State *L, lar_optim *o) {
  lua_settop(L, BATCHES);
  int64_t parts = luaL_optinteger(L, BATCHES, 1);
  if (parts < 1) return luaL_error(L, "%s: step: %d batches", o->rule->name, (int)parts);
  if (lua_isnil(L, STATE)) lb_push_step(L, o), lua_replace(L, STATE);
  lb_state state = {L, STATE};
  lar_task task = {.ctx = L, .parts = parts, .loss = closure_loss};
  lb_pressure(L);
  lb_enter(L);
  lb_check(L, lar_optim_iterate(o, &task, lua_istable(L, STATE) ? &state : NULL));
  lua_settop(L, 1);
  return 1;
}

/* opt:step([state]), or opt:step(closure, ...) */
int lb_optim_step(lua_State *L) {
  lar_optim *o = lb_optim(L, 1);
  if (lua_isfunction(L, CLOSURE) && o->rule->iterate == NULL)
    return luaL_error(L, "%s: a step takes no function: call backward() on the loss first",
                      o->rule->name);
  if (lua_isfunction(L, CLOSURE)) return step_whole(L, o);
  lua_settop(L, 2);
  if (lua_isnil(L, 2)) lb_push_step(L, o), lua_replace(L, 2);
  lb_state state = {L, 2};
  lb_enter(L);
  lb_check(L, lar_optim_step(o, lua_istable(L, 2) ? &state : NULL));
  lua_settop(L, 1);
  return 1;
}

/* opt:ascend(): up the gradient by sam, for the gradient there */
int lb_optim_ascend(lua_State *L) {
  lar_optim *o = lb_optim(L, 1);
  if (!(o->sam > 0))
    return luaL_error(L, "%s: ascend needs the option sam = { rho = 0.05 }", o->rule->name);
  lb_check(L, lar_optim_ascend(o));
  lua_settop(L, 1);
  return 1;
}

/* opt:descend(): back from there; a step does so by itself */
int lb_optim_descend(lua_State *L) {
  lar_optim_descend(lb_optim(L, 1));
  lua_settop(L, 1);
  return 1;
}

int lb_optim_swap_ema(lua_State *L) {
  lar_optim_swap_ema(lb_optim(L, 1));
  lua_settop(L, 1);
  return 1;
}

/* The addend named at `arg`, in the penalty that is bound. */
static int find_term(lua_State *L, const lar_optim *o, int arg) {
  const char *name = luaL_checkstring(L, arg), *known[32];
  size_t n = 0;
  for (int k = 0; o->bound != NULL && k < lar_bound_terms(o->bound); k++) {
    if (strcmp(lar_bound_name(o->bound, k), name) == 0) return k;
    if (n < 32) known[n++] = lar_bound_name(o->bound, k);
  }
  lb_check(L, lar_param_unknown("penalty", name, known, n));
  return 0;
}

/* opt:set_lambda(name, number or nil): a strength in place of the penalty's own */
int lb_optim_set_lambda(lua_State *L) {
  lar_optim *o = lb_optim(L, 1);
  double v = lua_isnoneornil(L, 3) ? (double)NAN : luaL_checknumber(L, 3);
  lb_check(L, lar_bound_set(o->bound, find_term(L, o, 2), v));
  o->refreshed = false;
  lua_settop(L, 1);
  return 1;
}

/* opt:get_lambda(name) -> the strength in force; nil before a function's first call */
int lb_optim_get_lambda(lua_State *L) {
  const lar_optim *o = lb_optim(L, 1);
  double l = lar_bound_lambda(o->bound, find_term(L, o, 2));
  if (isnan(l))
    lua_pushnil(L);
  else
    lua_pushnumber(L, l);
  return 1;
}
