/*
 * bind/lb_penalty - what the binding files of penalties share.
 *
 * Floor: bind. lua_penalty.c has the class, its algebra and its texts; lua_penalty_make.c the
 * constructors; lua_penalty_call.c what calls back into Lua; lua_penalty_value.c the numbers;
 * lua_penalty_describe.c what one is made of.
 */
#ifndef LAR_BIND_LB_PENALTY_H
#define LAR_BIND_LB_PENALTY_H

#include "bind/lb_optim.h"

/* Push an empty penalty object; the one at `arg`, which must be open. */
lar_reg **lb_penalty_new(lua_State *L);
lar_reg *lb_penalty(lua_State *L, int arg);

/* What is at `arg`, for a message: "number", "tensor", "penalty". */
const char *lb_penalty_what(lua_State *L, int arg);

/* The strength of addend k: lambda times factors. */
double lb_penalty_strength(lua_State *L, const lar_reg *r, int k);

/* A scope's predicate in Lua (lar_on.match). */
lar_status lb_penalty_match(void *ctx, const lar_pentry *p, bool *yes);

/* A term whose strength is the anchored function; whose value and prox are those in the
 * anchored table. */
void lb_penalty_lambda(lar_term *t, void *key);
void lb_penalty_written(lar_term *t, void *key, bool prox);

int lb_penalty_adapt(lua_State *L);

/* Push a parameter: a number, a whole number, a flag or a word. */
void lb_penalty_push_param(lua_State *L, const lar_param *p, const void *self);
int lb_penalty_describe(lua_State *L);

extern const luaL_Reg lb_penalty_making[]; /* functions of core.penalty */
extern const luaL_Reg lb_penalty_values[]; /* methods */

void lb_open_params(lua_State *L);
void lb_open_penalty_make(lua_State *L);
void lb_open_penalty_value(lua_State *L);

#endif
