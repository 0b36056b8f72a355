/*
 * bind/lb_forward - penalties of the forward pass, from Lua: (penalty, model, x, y, loss).
 *
 * Floor:    bind.
 */
#ifndef LAR_BIND_LB_FORWARD_H
#define LAR_BIND_LB_FORWARD_H

#include "bind/lb_optim.h"

/* Has it such terms? */
bool lb_is_forward(const lar_reg *r);

/* Check the arguments at 2..5, for the penalty r, and make the loss, given by name or as
 * anything that can be called, a value that can be called. Raises. */
void lb_forward_check(lua_State *L, const lar_reg *r);

/* With checked arguments: values of the terms of the pass added to each[] and *total. */
lar_status lb_forward_values(lua_State *L, lar_bound *b, const lar_params *p, double *each,
                             double *total);

/* penalty:forward(model, x [, y, loss]) -> prediction, value of the penalty, loss */
int lb_penalty_forward(lua_State *L);

/* optimizer:forward(model, x, y, loss [, state]) -> the same, with its strengths in force */
int lb_optim_forward(lua_State *L);

#endif
