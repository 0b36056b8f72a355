/* Penalties of the forward pass by hand: penalty:forward, and values on data. */
#include "bind/lb_forward.h"
#include "bind/lb_model.h"
#include "op/calc.h"
#include "train/forward.h"

enum { MODEL = 2, INPUT = 3, TARGET = 4, LOSS = 5 };

bool lb_is_forward(const lar_reg *r) {
  for (int k = 0; k < r->n; k++)
    if (r->at[k].term->type != NULL && (r->at[k].term->type->traits & LAR_FORWARD)) return true;
  return false;
}

static const char *first_name(const lar_reg *r) {
  for (int k = 0; r != NULL && k < r->n; k++)
    if (r->at[k].term->type != NULL && (r->at[k].term->type->traits & LAR_FORWARD))
      return r->at[k].term->name;
  return "";
}

void lb_forward_check(lua_State *L, const lar_reg *r) {
  const char *name = first_name(r);
  if (lua_gettop(L) < LOSS) lua_settop(L, LOSS);
  int top = lua_gettop(L);
  if (lb_module_test(L, MODEL) == NULL)
    luaL_error(L, "penalty %s is of a model's forward pass, not of a %s", name,
               lb_tensor_test(L, MODEL) != NULL ? "tensor" : luaL_typename(L, MODEL));
  if (lb_tensor_test(L, INPUT) == NULL)
    luaL_error(L, "penalty %s is of the forward pass and needs data: (net, x), x a tensor",
               name);
  if (lua_isnil(L, LOSS)) return;
  if (lua_isnil(L, TARGET)) luaL_error(L, "penalty: a loss needs a target: (net, x, y, loss)");
  if (lua_type(L, LOSS) == LUA_TSTRING) (void)lb_criterion(L, LOSS);
  if (!lua_isfunction(L, LOSS) && luaL_getmetafield(L, LOSS, "__call") == LUA_TNIL)
    luaL_error(L, "penalty: loss must be a name or a function, not a %s",
               luaL_typename(L, LOSS));
  lua_settop(L, top);
}

/* Runs protected: (prediction, target, loss) -> the loss */
static int call_loss(lua_State *L) {
  lar_var *pred = lua_touserdata(L, 1);
  lua_pushvalue(L, 3);
  lb_tensor_push(L, pred);
  lua_pushvalue(L, 2);
  lua_call(L, 2, 1);
  const lar_var *v = lb_tensor_test(L, -1);
  if (v == NULL || lar_tensor_numel(&v->t) != 1)
    return luaL_error(L, "penalty: the loss function returned a %s, not one number",
                      v != NULL ? "tensor of several" : luaL_typename(L, -1));
  return 1;
}

static lar_var *loss(void *ctx, lar_scope *s, lar_var *pred) {
  lua_State *L = ctx;
  if (!lua_checkstack(L, 8))
    return lar_scope_fail(s, lar_fail(LAR_ENOMEM, "penalty: the Lua stack is full"));
  lua_pushcfunction(L, call_loss);
  lua_pushlightuserdata(L, pred);
  lua_pushvalue(L, TARGET);
  lua_pushvalue(L, LOSS);
  lar_status st = lb_call(L, 3, 1);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  lar_var *v = lar_scope_own(s, lar_var_ref(lb_tensor_test(L, -1)));
  lua_pop(L, 1);
  return v;
}

static lar_forward pass_of(lua_State *L, lar_bound *b, const lar_params *p, double *each) {
  bool has_loss = !lua_isnil(L, LOSS);
  return (lar_forward){.model = lb_module_test(L, MODEL),
                       .bound = b,
                       .params = p,
                       .loss = has_loss ? loss : NULL,
                       .ctx = L,
                       .each = each};
}

lar_status lb_forward_values(lua_State *L, lar_bound *b, const lar_params *p, double *each,
                             double *total) {
  lar_scope s;
  lar_forward f = pass_of(L, b, p, each);
  double value = 0;
  lar_scope_init(&s);
  lar_status st = lar_forward_run(&f, &s, lb_tensor_test(L, INPUT));
  if (st == LAR_OK && f.penalty != NULL) st = lar_var_item(f.penalty, &value);
  lar_scope_clear(&s);
  *total += value;
  return st;
}

/* Prediction, penalty and loss into the objects at out[]. */
static lar_status run(lua_State *L, lar_bound *b, const lar_params *p, double *each,
                      lar_var **out[3]) {
  lar_scope s;
  lar_forward f = pass_of(L, b, p, each);
  lar_scope_init(&s);
  lar_status st = lar_forward_run(&f, &s, lb_tensor_test(L, INPUT));
  if (st == LAR_OK && f.penalty == NULL) f.penalty = lar_const_like(&s, f.pred, 0);
  if (st == LAR_OK) st = lar_scope_take(&s, f.pred, out[0]);
  if (st == LAR_OK) st = lar_scope_take(&s, f.penalty, out[1]);
  if (st == LAR_OK && f.value != NULL) st = lar_scope_take(&s, f.value, out[2]);
  lar_scope_clear(&s);
  return st;
}

static int passed(lua_State *L, lar_status st, int first, lar_var **out[3]) {
  lb_check(L, st);
  if (*out[2] == NULL) lua_pushnil(L), lua_replace(L, first + 2);
  lua_settop(L, first + 2);
  return 3;
}

int lb_penalty_forward(lua_State *L) {
  lar_reg *r = lb_reg(L, 1);
  lar_bound *b = NULL;
  lar_var **out[3];
  if (r == NULL) return luaL_typeerror(L, 1, "penalty");
  lua_settop(L, LOSS);
  lb_forward_check(L, r);
  lb_pressure(L);
  lb_enter(L);
  const lar_params *p = lb_params_of(L, MODEL);
  double *each = lua_newuserdatauv(L, ((size_t)r->n + 1) * sizeof *each, 0);
  int first = lua_gettop(L) + 1;
  for (int k = 0; k < 3; k++) out[k] = lb_tensor_new(L);
  lar_status st = lar_reg_bind(&b, r, p);
  if (st == LAR_OK) st = lar_bound_refresh(b, NULL);
  if (st == LAR_OK) st = run(L, b, p, each, out);
  lar_bound_free(b);
  return passed(L, st, first, out);
}

int lb_optim_forward(lua_State *L) {
  enum { GIVEN = LOSS + 1 };
  lar_optim *o = lb_optim(L, 1);
  lar_var **out[3];
  lua_settop(L, GIVEN);
  lb_forward_check(L, o->reg);
  if (lua_isnil(L, GIVEN)) lb_push_step(L, o), lua_replace(L, GIVEN);
  lb_state state = {L, GIVEN};
  lb_pressure(L);
  lb_enter(L);
  size_t terms = o->reg != NULL ? (size_t)o->reg->n : 0;
  double *each = lua_newuserdatauv(L, (terms + 1) * sizeof *each, 0);
  int first = lua_gettop(L) + 1;
  for (int k = 0; k < 3; k++) out[k] = lb_tensor_new(L);
  lar_status st = lar_optim_refresh(o, lua_istable(L, GIVEN) ? &state : NULL);
  if (st == LAR_OK) st = run(L, o->bound, &o->params, each, out);
  return passed(L, st, first, out);
}
