/*
 * bind/lb_key - what a Lua function may depend on beside tensors, as bytes to compare.
 *
 * Floor:    bind.
 * Contract: the numbers, strings and booleans that a function reaches by its upvalues and the
 *           tables in them, a few levels deep and up to a few hundred values; modules with
 *           their settings; of globals, numbers and strings. Two equal keys do not prove that
 *           a function does the same, but a function that counts, or reads a setting that has
 *           changed, shows in its key. Never calls Lua code.
 */
#ifndef LAR_BIND_LB_KEY_H
#define LAR_BIND_LB_KEY_H

#include "bind/lb.h"
#include "train/steps.h"

/* Add the value at `index`. Never raises but for want of memory. */
void lb_key_value(lua_State *L, int index, lar_key *k);

/* Add the Lua side of a module that has one, and of its children. */
void lb_key_module(lua_State *L, lar_module *m, lar_key *k);

/* Push a list of a plan's kernels: name, shape, bytes, seconds, runs; and bytes, of buffers. */
void lb_plan_kernels(lua_State *L, const lar_plan *p);

#endif
