/*
 * bind/lb_model - modules and criteria as Lua objects.
 *
 * Floor:    bind.
 * Contract: a module has one Lua object as long as any is alive: pushing it again gives the
 *           same one. The object keeps its children's objects (lb_anchor) and, for layers
 *           written in Lua, the table of their fields, so whoever keeps the object keeps all
 *           that forward needs.
 */
#ifndef LAR_BIND_LB_MODEL_H
#define LAR_BIND_LB_MODEL_H

#include "bind/lb.h"
#include "loss/loss.h"
#include "nn/nn.h"

#define LB_MODULE    "lariat.module"
#define LB_CRITERION "lariat.loss"

lar_module *lb_module(lua_State *L, int arg);      /* raises for anything else */
lar_module *lb_module_test(lua_State *L, int arg); /* or NULL */

/* Push the object of m (a reference is taken), or nil for NULL. */
void lb_module_push(lua_State *L, lar_module *m);

/* Push the fields of a layer written in Lua. */
void lb_module_fields(lua_State *L, lar_module *m);

/* A criterion object; the name of a loss is replaced on the stack by one with defaults. */
lar_criterion *lb_criterion(lua_State *L, int arg);
lar_criterion *lb_criterion_test(lua_State *L, int arg);

#endif
