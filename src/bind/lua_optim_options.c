/* Options of optimisers, read from tables. */
#include <string.h>

#include "bind/lb_optim.h"

const lar_rule *lb_rule(lua_State *L, const char *name) {
  const lar_rule *rule = lar_rule_find(name), *best = lar_rules[0];
  if (rule != NULL) return rule;
  for (const lar_rule *const *r = lar_rules; *r != NULL; r++)
    if (lar_edit_distance(name, (*r)->name) < lar_edit_distance(name, best->name)) best = *r;
  luaL_error(L, "optim: there is no rule '%s'; did you mean '%s'?", name, best->name);
  return NULL;
}

static const char *const common[] = {"lr",     "betas",   "clip_norm", "clip_value", "ema",
                                     "groups", "penalty", "sam",       NULL};
static const char *const of_whole[] = {"lr", "penalty", NULL}; /* rules for whole data */
static const char *const of_group[] = {"lr", "betas", "on", NULL};

/* betas = {beta1, beta2} for rules that have them. */
static void read_betas(lua_State *L, int at, const lar_rule *rule, void *self) {
  if (lua_getfield(L, at, "betas") != LUA_TNIL) {
    if (lar_param_find(rule->params, "beta1") == NULL)
      luaL_error(L, "%s: unknown key 'betas'; it has none", rule->name);
    if (!lua_istable(L, -1) || lua_rawlen(L, -1) != 2)
      luaL_error(L, "%s: betas must be a list of two numbers", rule->name);
    for (int k = 1; k <= 2; k++) {
      lua_rawgeti(L, -1, k);
      lb_param(L, -1, rule->name, rule->params, self, k == 1 ? "beta1" : "beta2");
      lua_pop(L, 1);
    }
  }
  lua_pop(L, 1);
}

/* The rule's own parameters from the table at `at` into self. */
static void read_self(lua_State *L, int at, const lar_rule *rule, void *self,
                      const char *const *others) {
  if (lua_getfield(L, at, "weight_decay") != LUA_TNIL && rule->decay == NULL)
    luaL_error(L,
               "%s: there is no weight_decay here; what PyTorch calls so is "
               "penalty = lariat.penalty.l2(%s), and 'adamw' has the decoupled one",
               rule->name, luaL_tolstring(L, -1, NULL));
  lua_pop(L, 1);
  lb_params(L, at, rule->name, rule->params, self, others);
  read_betas(L, at, rule, self);
}

static double read_lr(lua_State *L, int at, const lar_rule *rule, double def) {
  double lr = lb_opt_number(L, at, "lr", def);
  if (!(lr > 0 && lr < HUGE_VAL))
    luaL_error(L, "%s: lr = %f; it must be above 0", rule->name, lr);
  return lr;
}

static double read_bound(lua_State *L, int at, const lar_rule *rule, const char *key) {
  double v = lb_opt_number(L, at, key, 0);
  if (!(v >= 0)) luaL_error(L, "%s: %s = %f is negative", rule->name, key, v);
  return v < HUGE_VAL ? v : 0; /* an infinite bound is none */
}

double lb_optim_ema(lua_State *L, const lar_rule *rule, double v) {
  if (!(v >= 0 && v < 1)) luaL_error(L, "%s: ema = %f is not in [0, 1)", rule->name, v);
  return v;
}

/* sam = { rho = 0.05 }, or rho itself; 0: none. */
static double read_sam(lua_State *L, int at, const lar_rule *rule) {
  static const char *const keys[] = {"rho", NULL};
  int top = lua_gettop(L), type = lua_getfield(L, at, "sam");
  double rho = type == LUA_TNIL ? 0 : 0.05;
  if (type == LUA_TTABLE) {
    lb_params(L, top + 1, "sam", NULL, NULL, keys);
    rho = lb_opt_number(L, top + 1, "rho", rho);
  } else if (type == LUA_TNUMBER) {
    rho = lua_tonumber(L, -1);
  } else if (type != LUA_TNIL) {
    luaL_error(L, "%s: sam is a table such as { rho = 0.05 }, not a %s", rule->name,
               luaL_typename(L, -1));
  }
  if (!(rho >= 0 && rho < HUGE_VAL))
    luaL_error(L, "%s: sam: rho = %f; it must be finite and not negative", rule->name, rho);
  lua_settop(L, top);
  return rho;
}

/* A block of the rule's size holding defaults, or what `from` holds, pushed. */
void *lb_push_self(lua_State *L, const lar_rule *rule, const void *from) {
  void *self = lua_newuserdatauv(L, rule->size, 0);
  memset(self, 0, rule->size); /* not every field has to be a parameter */
  if (from != NULL)
    memcpy(self, from, rule->size);
  else
    lar_param_default(rule->params, self);
  return self;
}

/* The strings of group.on (one, or a list) as an array in a block that is pushed. */
static int read_on(lua_State *L, const lar_rule *rule, int group, const char ***on) {
  int type = lua_getfield(L, group, "on"), at = lua_gettop(L);
  int n = type == LUA_TTABLE ? (int)lua_rawlen(L, at) : 1;
  if ((type != LUA_TTABLE && type != LUA_TSTRING) || n == 0)
    luaL_error(L, "%s: a group needs on = a name or glob, or a list of them", rule->name);
  *on = lua_newuserdatauv(L, (size_t)n * sizeof **on, 0);
  for (int k = 0; k < n; k++) {
    if (type == LUA_TTABLE)
      lua_rawgeti(L, at, k + 1);
    else
      lua_pushvalue(L, at);
    if (lua_type(L, -1) != LUA_TSTRING)
      luaL_error(L, "%s: on holds a %s, not a name", rule->name, luaL_typename(L, -1));
    (*on)[k] = lua_tostring(L, -1); /* kept alive by the table */
    lua_pop(L, 1);
  }
  return n;
}

bool lb_has_field(lua_State *L, int at, const char *key) {
  bool yes = key != NULL && lua_getfield(L, at, key) != LUA_TNIL;
  if (key != NULL) lua_pop(L, 1);
  return yes;
}

/* One group, from the table at the top; o NULL: only check. */
static void read_group(lua_State *L, const lar_rule *rule, lar_optim *o, double lr,
                       const void *base) {
  int at = lua_gettop(L);
  const char **on;
  luaL_argexpected(L, lua_istable(L, at), 2, "list of groups");
  void *self = lb_push_self(L, rule, base);
  read_self(L, at, rule, self, of_group);
  double scale = read_lr(L, at, rule, lr) / lr;
  int n = read_on(L, rule, at, &on);
  if (o != NULL)
    lb_check(L, lar_optim_add_group(o, n, on, scale, self, lb_has_field(L, at, rule->decay)));
  lua_settop(L, at);
}

static void read_groups(lua_State *L, int at, const lar_rule *rule, lar_optim *o, double lr,
                        const void *self) {
  int type = lua_getfield(L, at, "groups");
  if (type != LUA_TNIL && (type != LUA_TTABLE || lua_rawlen(L, -1) == 0))
    luaL_error(L, "%s: groups must be a list of tables, such as {{ on = '1.*', lr = 0.1 }}",
               rule->name);
  for (int k = 1; type == LUA_TTABLE && k <= (int)lua_rawlen(L, -1); k++) {
    if (lua_rawgeti(L, -1, k) != LUA_TTABLE)
      luaL_error(L, "%s: group %d is a %s, not a table", rule->name, k, luaL_typename(L, -1));
    read_group(L, rule, o, lr, self);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

void lb_optim_read(lua_State *L, int at, const lar_rule *rule, const lar_params *params,
                   lar_optim **o) {
  int top = lua_gettop(L);
  void *self = lb_push_self(L, rule, NULL);
  read_self(L, at, rule, self, rule->iterate != NULL ? of_whole : common);
  double lr = read_lr(L, at, rule, rule->lr), sam = read_sam(L, at, rule);
  double norm = read_bound(L, at, rule, "clip_norm"),
         value = read_bound(L, at, rule, "clip_value");
  double ema = lb_optim_ema(L, rule, lb_opt_number(L, at, "ema", 0));
  if (o != NULL) {
    lb_check(L, lar_optim_new(o, rule, self, lr, params, NULL));
    (*o)->clip_norm = norm;
    (*o)->clip_value = value;
    (*o)->ema = ema;
    (*o)->sam = sam;
  }
  read_groups(L, at, rule, o != NULL ? *o : NULL, lr, self);
  lua_settop(L, top);
}
