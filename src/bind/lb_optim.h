/*
 * bind/lb_optim - penalties and optimisers as Lua objects.
 *
 * Floor:    bind.
 * Contract: a penalty object keeps (lb_anchor) the Lua functions its terms call; an optimiser
 *           keeps those of its penalty. An optimiser object is a recipe (a rule and options)
 *           until it is bound to parameters.
 */
#ifndef LAR_BIND_LB_OPTIM_H
#define LAR_BIND_LB_OPTIM_H

#include "bind/lb.h"
#include "optim/optim.h"

#define LB_PENALTY "lariat.penalty"
#define LB_OPTIM   "lariat.optim"

/* The regulariser in a penalty object, borrowed; NULL for nil or none. Raises for others. */
lar_reg *lb_reg(lua_State *L, int arg);

/* The optimiser in a bound optimiser object; raises for anything else. */
lar_optim *lb_optim(lua_State *L, int arg);

/* Push an optimiser object bound to `target` (a model or a list of tensors): the one at `arg`
 * itself when it is bound already, else a new one made from the recipe, or the name of a rule,
 * at `arg`. The penalty at `penalty` (0, nil: leave as it is) takes the place of its own. */
lar_optim *lb_optim_for(lua_State *L, int arg, int target, int penalty);

/* The parameters of a model, a tensor, or a list or table of tensors, in an object of its own
 * that is pushed. */
const lar_params *lb_params_of(lua_State *L, int arg);

/* The rule of that name; raises, with one that is spelt much like it. */
const lar_rule *lb_rule(lua_State *L, const char *name);

/* The options at `at` of a rule, but for its penalty, made an optimiser of `params`; with o
 * NULL they are only checked. */
void lb_optim_read(lua_State *L, int at, const lar_rule *rule, const lar_params *params,
                   lar_optim **o);
double lb_optim_ema(lua_State *L, const lar_rule *rule, double v); /* checked */

/* A rule's parameters in a block that is pushed: a copy of `from`, or the defaults. */
void *lb_push_self(lua_State *L, const lar_rule *rule, const void *from);

/* Has the table at `at` a field of that name (not NULL)? */
bool lb_has_field(lua_State *L, int at, const char *key);

/* Methods of optimisers: opt:state(), opt:load_state(t), ... */
int lb_optim_state(lua_State *L);
int lb_optim_load_state(lua_State *L);
int lb_optim_zero_grad(lua_State *L);
int lb_optim_step(lua_State *L);
int lb_optim_swap_ema(lua_State *L);
int lb_optim_ascend(lua_State *L);
int lb_optim_descend(lua_State *L);
int lb_optim_get_lambda(lua_State *L);
int lb_optim_set_lambda(lua_State *L);

/* Push what lambda functions see when the steps are taken by hand; nil when there are none. */
void lb_push_step(lua_State *L, const lar_optim *o);

void lb_open_penalty(lua_State *L);
void lb_open_optim(lua_State *L);

#endif
