/* What penalties say of a model or a tensor: values, gradients, proxes, strengths. */
#include <string.h>

#include "bind/lb_forward.h"
#include "bind/lb_model.h"
#include "bind/lb_optim.h"
#include "bind/lb_penalty.h"
#include "core/mem.h"
#include "kern/copy.h"

static bool is_model(lua_State *L, int arg) { return lb_tensor_test(L, arg) == NULL; }

static lar_status bind_to(lua_State *L, lar_bound **b, lar_reg *r, int arg,
                          const lar_params *p) {
  lar_status st = (is_model(L, arg) ? lar_reg_bind : lar_reg_bind_all)(b, r, p);
  return st == LAR_OK ? lar_bound_refresh(*b, NULL) : st;
}

/* Push the values of all terms, and give their sum. */
static double values(lua_State *L, double **each) {
  lar_reg *r = lb_penalty(L, 1);
  lar_bound *b = NULL;
  double total = 0;
  if (lua_isnone(L, 2))
    return luaL_error(L, "penalty: of what? Give a model, a tensor or a list of tensors");
  lb_check(L, lar_op_peek("the value of a penalty"));
  lua_settop(L, 5);
  if (lb_is_forward(r)) lb_forward_check(L, r);
  lb_enter(L);
  const lar_params *p = lb_params_of(L, 2);
  *each = lua_newuserdatauv(L, ((size_t)r->n + 1) * sizeof **each, 0);
  lar_status st = bind_to(L, &b, r, 2, p);
  if (st == LAR_OK) st = lar_bound_values(b, *each, &total);
  if (st == LAR_OK && lb_is_forward(r)) st = lb_forward_values(L, b, p, *each, &total);
  lar_bound_free(b);
  lb_check(L, st);
  return total;
}

static int penalty_value(lua_State *L) {
  double *each;
  return lua_pushnumber(L, values(L, &each)), 1;
}

static int penalty_terms(lua_State *L) {
  double *each;
  char name[64];
  (void)values(L, &each);
  const lar_reg *r = lb_penalty(L, 1);
  lua_createtable(L, 0, r->n);
  for (int k = 0; k < r->n; k++) {
    lua_pushnumber(L, each[k]);
    lua_setfield(L, -2, lar_reg_name(r, k, name));
  }
  return 1;
}

/* A fresh float tensor with the values (or zeros) of the one at `arg`, pushed. */
static lar_var *push_copy(lua_State *L, int arg, bool zeros) {
  lar_var *v = lb_tensor(L, arg), **p = lb_tensor_new(L);
  lar_tensor t = {0};
  lb_check(L, lar_clone(&t, &v->t, v->t.dtype));
  lar_status st = lar_var_new(p, &t);
  lar_tensor_clear(&t);
  lb_check(L, st);
  if (zeros) lar_fill(&(*p)->t, 0);
  return *p;
}

static lar_status check_steps(const lar_tensor *t) {
  for (int64_t i = 0, n = lar_tensor_numel(t); i < n; i++) {
    double step = lar_tensor_get(t, i);
    if (!(step > 0 && step < HUGE_VAL))
      return lar_fail(LAR_EARG, "prox: step = %g at position %lld; steps must be above 0",
                      lar_shown(step), (long long)i + 1);
  }
  return LAR_OK;
}

/* reg:prox(w, step) -> the prox at w; step is a number, or a tensor of steps */
static int run_prox(lua_State *L, bool in_place) {
  lar_reg *r = lb_penalty(L, 1);
  lar_var *w = lb_tensor(L, 2), *steps = lb_tensor_test(L, 3);
  lar_bound *b = NULL;
  lar_tensor metric = {0};
  double step = steps != NULL ? 1 : luaL_checknumber(L, 3);
  lb_check(L, lar_op_peek("prox()"));
  lb_enter(L);
  if (steps == NULL && !(step > 0 && step < HUGE_VAL))
    return luaL_error(L, "prox: step = %f; it must be above 0", lar_shown(step));
  if (steps != NULL && !lar_tensor_same_shape(&steps->t, &w->t))
    return luaL_error(L, "prox: steps of shape %s for a tensor of shape %s",
                      lar_tensor_text(&steps->t), lar_tensor_text(&w->t));
  lua_settop(L, 3);
  if (in_place) {
    lb_check(L, lar_var_writable(w, false));
    lua_pushvalue(L, 2);
  } else {
    (void)push_copy(L, 2, false);
  }
  const lar_params *p = lb_params_of(L, 4);
  lar_status st = lar_reg_bind_all(&b, r, p);
  if (st == LAR_OK && steps != NULL) st = lar_contiguous(&metric, &steps->t, w->t.dtype);
  if (st == LAR_OK && steps != NULL) st = check_steps(&metric);
  if (st == LAR_OK) st = lar_bound_prox_all(b, 0, step, steps != NULL ? &metric : NULL);
  lar_tensor_clear(&metric);
  lar_bound_free(b);
  lb_check(L, st);
  lua_settop(L, 4);
  return 1;
}

static int penalty_prox(lua_State *L) { return run_prox(L, false); }

/* reg:prox_(w, step) -> w, which it overwrites */
static int penalty_prox_in(lua_State *L) { return run_prox(L, true); }

/* The tensor at `arg`, to which a gradient at w is added. */
static lar_var *gradient_at(lua_State *L, int arg, const lar_var *w) {
  lar_var *g = lb_tensor(L, arg);
  if (g->t.dtype != w->t.dtype || !lar_tensor_same_shape(&g->t, &w->t) ||
      !lar_tensor_is_contiguous(&g->t))
    luaL_error(L, "gradient: the tensor to add to must be contiguous, %s %s, not %s %s",
               lar_dtype_name(w->t.dtype), lar_tensor_text(&w->t), lar_dtype_name(g->t.dtype),
               lar_tensor_text(&g->t));
  lb_check(L, lar_var_writable(g, false));
  g->t.storage->version++;
  return g;
}

/* reg:gradient(w [, g]) -> a (sub)gradient of all terms at w, 0 taken at kinks; added to g */
static int penalty_gradient(lua_State *L) {
  lar_reg *r = lb_penalty(L, 1);
  lar_bound *b = NULL;
  const lar_var *w = lb_tensor(L, 2);
  bool add = !lua_isnoneornil(L, 3);
  lua_settop(L, add ? 3 : 2);
  lb_enter(L);
  lar_var *g = add ? gradient_at(L, 3, w) : push_copy(L, 2, true);
  const lar_params *p = lb_params_of(L, 2);
  lar_status st = lar_reg_bind_all(&b, r, p);
  if (st == LAR_OK) st = lar_bound_grad_all(b, 0, &g->t);
  lar_bound_free(b);
  lb_check(L, st);
  lua_settop(L, 3);
  return 1;
}

/* reg:lambda_max(g) -> the least strength of a single term that holds w = 0 where the loss has
 * the gradient g */
static int penalty_lambda_max(lua_State *L) {
  lar_reg *r = lb_penalty(L, 1);
  lar_bound *b = NULL;
  double l = 0;
  (void)lb_tensor(L, 2);
  lua_settop(L, 2);
  lb_enter(L);
  if (r->n != 1) return luaL_error(L, "lambda_max: this is a sum of %d terms; ask each", r->n);
  const lar_params *p = lb_params_of(L, 2);
  lar_status st = lar_reg_bind_all(&b, r, p);
  if (st == LAR_OK) st = lar_bound_max(b, 0, &l);
  lar_bound_free(b);
  lb_check(L, st);
  return lua_pushnumber(L, l), 1;
}

/* Push a float64 copy of the tensor at `arg`. */
static lar_var *push_double(lua_State *L, int arg) {
  lar_var *v = lb_tensor(L, arg), **p = lb_tensor_new(L);
  lar_tensor t = {0};
  lb_check(L, lar_clone(&t, &v->t, LAR_F64));
  lar_status st = lar_var_new(p, &t);
  lar_tensor_clear(&t);
  lb_check(L, st);
  return *p;
}

/* reg:distance(w, g) -> how far -g is from the subdifferential at w */
static int penalty_distance(lua_State *L) {
  lar_reg *r = lb_penalty(L, 1);
  lar_bound *b = NULL;
  double d = 0;
  const lar_var *w = lb_tensor(L, 2), *g = lb_tensor(L, 3);
  lua_settop(L, 3);
  lb_enter(L);
  if (!lar_tensor_same_shape(&w->t, &g->t))
    return luaL_error(L, "distance: a gradient of shape %s for a tensor of shape %s",
                      lar_tensor_text(&g->t), lar_tensor_text(&w->t));
  (void)push_double(L, 2);
  const lar_params *p = lb_params_of(L, 4);
  lar_status st = lar_reg_bind_all(&b, r, p);
  if (st == LAR_OK) st = lar_bound_distance(b, 0, &g->t, &d);
  lar_bound_free(b);
  lb_check(L, st);
  return lua_pushnumber(L, d), 1;
}

/* Strength of addend k, its function called with a state of step 0. */
double lb_penalty_strength(lua_State *L, const lar_reg *r, int k) {
  const lar_term *t = r->at[k].term;
  double l = t->lambda;
  if (t->type != NULL && (t->type->traits & LAR_CONSTRAINT)) return 1;
  if (t->lambda_fn != NULL) lb_check(L, t->lambda_fn(t->lambda_ctx, NULL, &l));
  return l * r->at[k].scale;
}

/* reg:lambda() -> the strength; of a sum, a table name -> strength */
static int penalty_lambda(lua_State *L) {
  lar_reg *r = lb_penalty(L, 1);
  char name[64];
  if (lua_gettop(L) > 1)
    return luaL_error(L,
                      "lambda() is read; another one comes of a factor, as in 2 * pen, or of "
                      "the optimiser's set_lambda");
  lb_enter(L);
  if (r->n == 1) return lua_pushnumber(L, lb_penalty_strength(L, r, 0)), 1;
  lua_createtable(L, 0, r->n);
  for (int k = 0; k < r->n; k++) {
    lua_pushnumber(L, lb_penalty_strength(L, r, k));
    lua_setfield(L, -2, lar_reg_name(r, k, name));
  }
  return 1;
}

/* Scalar slots of a single separable term, for curves and specs: name, then numbers. */
static int penalty_scalar(lua_State *L) {
  lar_reg *r = lb_penalty(L, 1);
  const char *slot = luaL_checkstring(L, 2);
  const lar_penalty *p = r->at[0].term->type;
  double a = luaL_checknumber(L, 3), b = luaL_optnumber(L, 4, 0), l;
  const void *self = r->at[0].term->self;
  lb_enter(L);
  if (r->n != 1 || p == NULL || p->value1 == NULL)
    return luaL_error(L, "penalty: only a single separable term has scalar functions");
  l = lb_penalty_strength(L, r, 0);
  if (strcmp(slot, "value") == 0)
    lua_pushnumber(L, p->value1(self, l, a));
  else if (strcmp(slot, "gradient") == 0)
    lua_pushnumber(L, p->grad1(self, l, a));
  else if (strcmp(slot, "prox") == 0)
    lua_pushnumber(L, p->prox1(self, l, a, b));
  else if (strcmp(slot, "distance") == 0)
    lua_pushnumber(L, p->subdist1(self, l, a, b));
  else
    return luaL_error(L, "penalty: scalar functions are value, gradient, prox, distance");
  return 1;
}

/* *to = a value of t, which is taken over; nothing where t is empty. */
static lar_status replace(lar_var **to, lar_tensor *t) {
  lar_status st = LAR_OK;
  if (t->storage == NULL) return LAR_OK;
  lar_var_unref(*to);
  *to = NULL;
  st = lar_var_new(to, t);
  lar_tensor_clear(t);
  return st;
}

static lar_status push_adapted(lua_State *L, const lar_reg *r, lar_bound *b, int i,
                               double gamma) {
  lar_reg **made = lb_penalty_new(L);
  lar_term *t = NULL;
  lar_tensor own = {0}, l1 = {0};
  lar_status st = lar_bound_adapt(b, i, gamma, &own, &l1);
  if (st == LAR_OK) st = lar_term_copy(&t, r->at[0].term);
  if (st == LAR_OK) st = replace(&t->weights, &own);
  if (st == LAR_OK) st = replace(&t->l1_weights, &l1);
  if (st == LAR_OK) st = lar_reg_of(made, t);
  if (st == LAR_OK) (*made)->at[0].scale = r->at[0].scale;
  lar_term_unref(t);
  lar_tensor_clear(&own);
  lar_tensor_clear(&l1);
  return st;
}

/* adapt(pen, from, gamma) -> for each parameter that the penalty covers in `from` (a model, a
 * tensor, a table of tensors): its name, and the penalty reweighted, without scope */
int lb_penalty_adapt(lua_State *L) {
  lar_reg *r = lb_penalty(L, 1);
  double gamma = luaL_checknumber(L, 3);
  const lar_penalty *type = r->at[0].term->type;
  unsigned traits = type != NULL ? type->traits : 0;
  lua_settop(L, 3);
  lb_enter(L);
  if (r->n != 1) return luaL_error(L, "adaptive: this is a sum of %d terms; adapt each", r->n);
  if ((traits & (LAR_SEPARABLE | LAR_GROUPED)) == 0 ||
      (traits & (LAR_CONSTRAINT | LAR_GRAPH)) != 0)
    return luaL_error(L, "adaptive: %s takes no weights, neither by coordinate nor by group",
                      r->at[0].term->name);
  const lar_params *p = lb_params_of(L, 2);
  lar_bound **b = lb_new(L, sizeof(lar_bound *), "lariat.bound");
  lb_check(L, (is_model(L, 2) ? lar_reg_bind : lar_reg_bind_all)(b, r, p));
  int first = lua_gettop(L);
  luaL_checkstack(L, 2 * p->n + 8, "adaptive: too many parameters");
  for (int i = 0; i < p->n; i++) {
    if (!lar_bound_has_grad(*b, i) && !lar_bound_has_prox(*b, i)) continue;
    lua_pushstring(L, p->at[i].name);
    lb_check(L, push_adapted(L, r, *b, i, gamma));
    lb_anchor_all(L, -1, 1);
  }
  return lua_gettop(L) - first;
}

static int bound_gc(lua_State *L) {
  lar_bound **b = lua_touserdata(L, 1);
  lar_bound_free(*b);
  *b = NULL;
  return 0;
}

const luaL_Reg lb_penalty_values[] = {
  {"value", penalty_value},
  {"terms", penalty_terms},
  {"prox", penalty_prox},
  {"prox_", penalty_prox_in},
  {"gradient", penalty_gradient},
  {"lambda", penalty_lambda},
  {"lambda_max", penalty_lambda_max},
  {"distance", penalty_distance},
  {"scalar", penalty_scalar},
  {NULL, NULL},
};

void lb_open_penalty_value(lua_State *L) {
  static const luaL_Reg none[] = {{NULL, NULL}},
                        bound_meta[] = {{"__gc", bound_gc}, {NULL, NULL}};
  lb_class(L, "lariat.bound", none, bound_meta);
}
